/** How `npm start` and `npm run demo` speak to the people who typed them. Prose goes to stderr, what they asked for to stdout. */
import { WrongInput } from '@foothold/contract';
import { errorText, type Front } from '@foothold/platform';

export const note = (text: string): void => void process.stderr.write(`${text}\n`);

/** Lets the log say only what is wrong, unless more was asked for. */
export const quiet = (env: Record<string, string | undefined>): Record<string, string | undefined> => ({ ...env, FOOTHOLD_LOG_LEVEL: env['FOOTHOLD_LOG_LEVEL'] || 'warn' });

/** How a program ends, in words; `program` is what was typed. */
export function endings(program: string): Pick<Front, 'ending' | 'failed'> {
  return {
    ending: () => note('\nstopping; Ctrl-C again does not wait'),
    failed: (error) => {
      const otherPort = error instanceof WrongInput && error.field === 'FOOTHOLD_PORT' && error.reason.includes('taken') ? `. For instance: FOOTHOLD_PORT=7071 ${program}. If it is Foothold that runs there, all is well already` : '';
      note(`${program}: ${errorText(error)}${otherPort}`);
    },
  };
}

/** What goes before a command in another terminal, so that it finds the same database: settings that are no secrets. */
export function before(settings: Record<string, string>): string {
  return Object.entries(settings).map(([name, value]) => `${name}=${quoted(value)} `).join('');
}

/** As a shell takes it for one word. */
export const quoted = (text: string): string => (/^[\w./:@%+-]*$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);
