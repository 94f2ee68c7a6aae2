/** What deploy/ says is true of what is here: settings, paths, scripts, roles; and every container is pinned, confined and ends in peace. */
import { describe, expect, it } from '@jest/globals';
import { SETTINGS } from '@foothold/platform';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

interface Service {
  image: string;
  build?: { context: string; dockerfile: string };
  command?: string[];
  environment?: Record<string, string>;
  user?: string;
  volumes?: string[];
  healthcheck?: { test?: string[]; disable?: boolean };
  stop_grace_period?: string;
  restart?: string;
  read_only?: boolean;
  cap_drop?: string[];
  security_opt?: string[];
  privileged?: boolean;
  depends_on?: Record<string, { condition: string }>;
}

const ROOT = resolve(import.meta.dirname, '..');
const textOf = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const { safeLoad } = createRequire(import.meta.url)('js-yaml') as { safeLoad: (text: string) => unknown };
const { version, scripts } = JSON.parse(textOf('package.json')) as { version: string; scripts: Record<string, string> };
const dockerfile = textOf('deploy/Dockerfile').replace(/\\\n/g, ' ');
const compose = safeLoad(textOf('deploy/compose.yaml')) as { services: Record<string, Service>; volumes: Record<string, null> };
const collector = safeLoad(textOf('deploy/otel/collector.yaml')) as {
  [kind in 'receivers' | 'processors' | 'exporters']: Record<string, unknown>;
} & { service: { pipelines: Record<string, Record<string, string[]>> } };

const services = Object.entries(compose.services);
const ours = services.filter(([, { build }]) => build);
/** Those that end by themselves have nothing to be asked. */
const lasting = services.filter(([, { restart }]) => restart === 'unless-stopped');
const stages = [...dockerfile.matchAll(/^FROM (\S+)(?: AS (\S+))?$/gm)].map(([, image, name]) => ({ image: image!, name }));

/** A line of the Dockerfile's, by its first word. */
const lines = (word: string) => [...dockerfile.matchAll(new RegExp(`^${word} (.*)$`, 'gm'))].map(([, rest]) => rest!.trim());

describe('compose.yaml', () => {
  it('runs the five processes from one image of this version, and what they stand on', () => {
    expect(ours.map(([name, { command }]) => [name, command])).toEqual(['collector', 'recorder', 'projector', 'sentinel', 'api'].map((role) => [role, ['serve', '--roles', role]]));
    for (const [, { image, build }] of ours) {
      expect(image).toBe(`foothold:${version}`);
      expect(existsSync(join(ROOT, 'deploy', build!.context, build!.dockerfile))).toBe(true);
    }
    expect(services.map(([name]) => name)).toEqual(expect.arrayContaining(['kafka', 'topics', 'postgres', 'otel']));
  });

  it('sets only what is read, and to what can be read', () => {
    for (const [name, { environment }] of ours) {
      expect([name, Object.keys(environment!).filter((variable) => !(variable in SETTINGS))]).toEqual([name, []]);
      for (const [variable, given] of Object.entries(environment!)) {
        const value = given.replace(/\$\{FOOTHOLD_PSEUDONYM_KEY:\?[^}]*\}/, 'ab'.repeat(32)).replace(/\$\{\w+:\?[^}]*\}/, 'x').replace(/\$\{\w+:-([^}]*)\}/, '$1');
        expect(() => SETTINGS[variable as keyof typeof SETTINGS].read(value)).not.toThrow();
      }
    }
    for (const [, { environment }] of services.filter(([name]) => !ours.some(([own]) => own === name))) {
      for (const variable of Object.keys(environment ?? {})) expect(variable).toMatch(/^(KAFKA|POSTGRES)_|^CLUSTER_ID$/);
    }
  });

  it('demands the secrets with words, holds none itself, and needs no others', () => {
    const asked = [...textOf('deploy/compose.yaml').matchAll(/(?<!\$)\$\{(\w+)([^}]*)\}/g)].map(([, name, how]) => [name, how]);
    for (const [name, how] of asked) if (name !== 'FOOTHOLD_LOG_LEVEL') expect([name, how]).toEqual([name, expect.stringMatching(/^:\?make one with openssl rand -hex \d+/)]);
    expect(new Set(asked.map(([name]) => name))).toEqual(new Set(['POSTGRES_PASSWORD', 'FOOTHOLD_PSEUDONYM_KEY', 'FOOTHOLD_LOG_LEVEL']));
  });

  it.each(services)('%s is pinned to a version, and may not become root', (_name, { image, user, privileged, cap_drop, security_opt }) => {
    expect(image).toMatch(/^[\w./-]+:\d+\.\d+(\.\d+)?(-[\w.]+)?$/);
    expect(cap_drop).toEqual(['ALL']);
    expect(security_opt).toEqual(['no-new-privileges:true']);
    expect(privileged).toBeUndefined();
    expect(user ?? 'of the image').not.toMatch(/^(root|0)/);
  });

  it.each(services)('%s is given time to end', (_name, { stop_grace_period }) => {
    expect(Number(/^(\d+)s$/.exec(stop_grace_period ?? '')?.[1])).toBeGreaterThanOrEqual(10);
  });

  it('asks every lasting one whether it is well', () => {
    // Ours by the image's HEALTHCHECK. The OpenTelemetry collector's image holds nothing that could ask.
    const unasked = lasting.filter(([, { build, healthcheck }]) => !build && !healthcheck?.test).map(([name]) => name);
    expect(unasked).toEqual(['otel']);
    expect(services.filter(([, { restart }]) => restart !== 'unless-stopped').map(([name, { restart }]) => [name, restart])).toEqual([['topics', 'on-failure:5']]);
  });

  it('lets ours write nowhere, and more time than they give themselves', () => {
    for (const [, { read_only, stop_grace_period, depends_on }] of ours) {
      expect(read_only).toBe(true);
      expect(parseInt(stop_grace_period!)).toBeGreaterThan(10);
      expect(depends_on).toEqual({ postgres: { condition: 'service_healthy' }, topics: { condition: 'service_completed_successfully' } });
    }
  });

  it('names only services, volumes and files that exist', () => {
    for (const [, { depends_on, volumes }] of services) {
      expect(Object.keys(depends_on ?? {}).filter((name) => !(name in compose.services))).toEqual([]);
      for (const [source] of (volumes ?? []).map((volume) => volume.split(':'))) expect(source!.startsWith('.') ? existsSync(join(ROOT, 'deploy', source!)) : source! in compose.volumes).toBe(true);
    }
    const addresses = [...textOf('deploy/compose.yaml').matchAll(/(?:@|: |\/\/)(\w+):\d{4}\b/g)].map(([, host]) => host!).filter((host) => host !== 'localhost');
    expect(addresses.filter((host) => !(host in compose.services))).toEqual([]);
  });
});

describe('collector.yaml', () => {
  it('fetches the metrics of every process of ours', () => {
    const [, targets] = /targets: \[(.*)\]/.exec(textOf('deploy/otel/collector.yaml'))!;
    expect(targets!.split(',').map((target) => target.trim())).toEqual(ours.map(([name, { environment }]) => `'${name}:${environment!['FOOTHOLD_PORT']}'`));
  });

  it('joins only what it defines', () => {
    for (const pipeline of Object.values(collector.service.pipelines)) {
      for (const kind of ['receivers', 'processors', 'exporters'] as const) expect(pipeline[kind]!.filter((name) => !(name in collector[kind]))).toEqual([]);
    }
    expect(Object.keys(collector.service.pipelines)).toEqual(['traces', 'metrics']);
  });
});

describe('Dockerfile', () => {
  it('stands on one pinned Node with long-term support', () => {
    const bases = new Set(stages.map(({ image }) => image).filter((image) => !stages.some(({ name }) => name === image)));
    expect([...bases]).toEqual([expect.stringMatching(/^node:24\.\d+\.\d+-\w+-slim$/)]);
  });

  it('copies only what exists and .dockerignore lets through', () => {
    const allowed = textOf('.dockerignore').split('\n').filter((line) => line.startsWith('!')).map((line) => line.slice(1));
    const copied = lines('COPY').filter((line) => !line.startsWith('--from=')).flatMap((line) => line.split(/\s+/).slice(0, -1));
    expect(copied.length).toBeGreaterThan(5);
    for (const path of copied) {
      expect([path, existsSync(join(ROOT, path))]).toEqual([path, true]);
      expect([path, allowed.some((root) => path === root || path.startsWith(`${root}/`))]).toEqual([path, true]);
    }
    expect(textOf('.dockerignore')).toMatch(/^\*$/m);
    const froms = lines('COPY').flatMap((line) => /^--from=(\S+)/.exec(line)?.[1] ?? []);
    expect(froms.filter((from) => !stages.some(({ name }) => name === from))).toEqual([]);
  });

  it('calls only npm scripts that exist, and installs only what production needs', () => {
    const named = [...dockerfile.matchAll(/npm run ([a-z:]+)/g)].map(([, name]) => name!);
    expect(named).toEqual(['build']);
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
    expect(dockerfile).toMatch(/AS production\s[^]*npm ci --omit=dev[^]*FROM node[^]*COPY --from=production \/app\/node_modules/);
  });

  it('ends as a user who is not root, on SIGTERM, and says whether it is well', () => {
    const last = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '));
    expect(last).toMatch(/^USER node$/m);
    expect(last).toMatch(/^STOPSIGNAL SIGTERM$/m);
    expect(last).toMatch(/^HEALTHCHECK .*\/health\/live/m);
    expect(last).toMatch(/^ENTRYPOINT \["foothold"\]$/m);
  });
});
