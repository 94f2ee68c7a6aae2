/** One thing that doctor looked at, and what it found. */
import { WrongInput } from '@foothold/contract';
import { errorText } from '@foothold/platform';

export interface Check {
  name: string;
  ok: boolean;
  detail: string;
  /** What to do; empty where all is well. */
  fix: string;
}

export const fine = (name: string, detail: string): Check => ({ name, ok: true, detail, fix: '' });
export const judged = (name: string, ok: boolean, detail: string, fix: string): Check => ({ name, ok, detail, fix: ok ? '' : fix });

export function failed(name: string, error: unknown): Check {
  if (error instanceof WrongInput) return { name, ok: false, detail: `${error.field}: ${error.reason}`, fix: error.fix };
  return { name, ok: false, detail: errorText(error), fix: 'see the message; foothold with FOOTHOLD_LOG_LEVEL=debug tells more' };
}
