/** The API at work in the spec's own process: on a database of its own, answering on a port of its own. */
import { openLog, type Log } from '@foothold/event-log';
import { Health, Keys, openApplication, openPlatformDatabase, readConfig, type KeyKind, type NewKey } from '@foothold/platform';
import pino from 'pino';
import { ApiModule } from '../../apps/api/src/api.module.js';
import { freshDatabase } from './database.js';
import { KEY, MIGRATIONS, pseudonymiser, sealer } from './recording.js';

export interface ApiUnderTest {
  url: string;
  log: Log;
  /** For commands on the same database. */
  settings: Record<string, string>;
  /** What it answers, as METHOD /path. */
  routes: string[];
  /** What it logged. */
  lines: { level: number; msg: string }[];
  /** Makes a key of this kind for tenant `local` and gives its text. */
  key(kind: KeyKind, more?: Partial<NewKey>): Promise<string>;
  /** Asks; `key` is sent as the credential. */
  ask(path: string, key?: string, more?: RequestInit): Promise<Response>;
  close(): Promise<void>;
}

export async function startApi(): Promise<ApiUnderTest> {
  const fresh = await freshDatabase();
  const settings = { DATABASE_URL: fresh.url, FOOTHOLD_PSEUDONYM_KEY: KEY };
  const config = readConfig(settings);
  const { database, close } = await openPlatformDatabase(config, 'spec', MIGRATIONS);
  await database.migrate();
  const log = openLog(database, (tenant) => pseudonymiser.check(tenant), sealer);
  const lines: ApiUnderTest['lines'] = [];
  const logger = pino({ level: 'debug' }, { write: (line: string) => void lines.push(JSON.parse(line) as ApiUnderTest['lines'][number]) });
  const health = new Health();
  const app = await openApplication({ config, logger, database, pseudonymiser, sealer, health }, [ApiModule], (error) => {
    throw error;
  });
  const routes: string[] = [];
  app.getHttpAdapter().getInstance().addHook('onRoute', ({ method, url: path }) => void routes.push(...[method].flat().map((one) => `${one} ${path}`)));
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  const keys = new Keys(database);
  return {
    url,
    log,
    settings,
    routes,
    lines,
    key: async (kind, more = {}) => (await keys.create({ tenant: 'local', kind, deployments: null, origins: null, note: null, expiresAt: null, ...more })).key,
    ask: (path, key, { headers, ...more } = {}) => fetch(`${url}${path}`, { ...more, redirect: 'manual', headers: { ...(key === undefined ? {} : { authorization: `Bearer ${key}` }), ...(headers as Record<string, string>) } }),
    close: async () => {
      await app.close();
      await close();
      await fresh.drop();
    },
  };
}
