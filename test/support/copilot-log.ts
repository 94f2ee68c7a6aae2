/** The public Copilot log (test/fixtures/cups) as people and their suggestions, for specs of what is computed from them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A suggestion that was shown; undecided where neither accepted nor overridden. */
export interface Suggestion {
  confidence?: number;
  accepted: boolean;
  overridden: boolean;
}

/** One list of suggestions a programmer, 21 of them, each in the order of the log. */
export function copilotPeople(): Suggestion[][] {
  const people = new Map<string, Map<string, Suggestion>>();
  for (const line of readFileSync(join(import.meta.dirname, '../fixtures/cups/events.ndjson'), 'utf8').trimEnd().split('\n')) {
    const { type, subject, data } = JSON.parse(line) as { type: string; subject: string; data: { invocation: string; confidence?: number } };
    const suggestions = people.get(subject) ?? new Map<string, Suggestion>();
    people.set(subject, suggestions);
    if (type === 'foothold.result.shown.v1') suggestions.set(data.invocation, { confidence: data.confidence, accepted: false, overridden: false });
    else if (type === 'foothold.result.accepted.v1') suggestions.get(data.invocation)!.accepted = true;
    else if (type === 'foothold.result.overridden.v1') suggestions.get(data.invocation)!.overridden = true;
  }
  return [...people.values()].map((suggestions) => [...suggestions.values()]);
}
