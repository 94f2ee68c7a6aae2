/**
 * What the process holds of a deployment from one question to the next: who did what on which day, and the roster.
 *
 * What arrives: how often each day was changed, and the version of the deployment, as they were read for a question. What
 * leaves: the days' people, each with what they did as bits, and the periods of the roster. A day is read again only where it
 * was changed since, the roster where anything was decided about the deployment; so a question costs what happened lately and
 * what it counts. Next are the metrics that count people, and behind.ts.
 */
import { dayText } from '../local-day.js';
import { type Period, type Query, type Subject } from './metric.js';

/** What a person does on a day, a bit each: SQL on a row `d` of person_day_sum, or of person_day, which has the same counters but the voluntary. */
export const DID = {
  active: 'd.active_accepted + d.active_overridden > 0', active_accepted: 'd.active_accepted > 0', active_voluntary: 'd.active_voluntary > 0',
  tasks: 'd.tasks > 0', invocations: 'd.invocations > 0', shown: 'd.shown > 0', accepted: 'd.accepted > 0', overridden: 'd.overridden > 0',
  changed: 'd.verbatim + d.edited_light + d.edited_moderate + d.edited_heavy > 0', kept_1: 'd.kept_1_known > 0', kept_7: 'd.kept_7_known > 0', kept_30: 'd.kept_30_known > 0',
  timed: 'd.timed > 0', stated: 'd.stated > 0', stated_truth: 'd.stated_truth > 0', judged: 'd.judged > 0',
  wrong: 'd.wrong_accepted + d.wrong_overridden > 0', right: 'd.right_accepted + d.right_overridden > 0', override_judged: 'd.override_judged > 0',
  rair_judged: 'd.rair_judged > 0', rsr_judged: 'd.rsr_judged > 0', feedback: 'd.feedback > 0',
};
export type Did = keyof typeof DID;

/** The bits of what is named. */
export const bitsOf = (...names: readonly Did[]): number => names.reduce((bits, name) => bits | (1 << Object.keys(DID).indexOf(name)), 0);

/** The people of whom anything is counted on a day, by their place in Held.people, and what each did. */
export interface HeldDay {
  people: Int32Array;
  did: Int32Array;
}

/** A period of the roster: from a day to a day, both included; until further notice it ends nowhere. */
export interface Rostered {
  from: number;
  to: number;
  team: string;
  role: string;
}

/** Periods by person, in order. */
export interface HeldRoster {
  /** In which they are on it, be they on leave or not. */
  enabled: ReadonlyMap<string, readonly Rostered[]>;
  away: ReadonlyMap<string, readonly Rostered[]>;
}

/** What there is of a deployment, whatever is asked of it. */
interface Shelf {
  people: string[];
  places: Map<number, number>;
  days: Map<number, HeldDay & { revision: string }>;
  /** Person-days. */
  size: number;
  roster: { version: number; read: Promise<HeldRoster> } | null;
}

/** By database, whose queries are all run by the same function, and deployment; what was asked for last comes last. */
const shelves = new WeakMap<Query, Map<number, Shelf>>();
/** Person-days that are held of all deployments of a database, eight bytes each: beyond, what was not asked for longest is dropped. */
const MOST_HELD = 8_000_000;
/** Days that are read in one statement. */
const CHUNK = 56;

/** What is held of a deployment, as one question sees it. */
export class Held {
  private readonly shelf: Shelf;
  private readonly made = new Map<string, unknown>();

  /**
   * @param revisions by day on which anything is counted: another text whenever anything on it was changed
   * @param most person-days that may be held already
   */
  constructor(private readonly query: Query, private readonly subject: Subject, private readonly revisions: ReadonlyMap<number, string>, most = MOST_HELD) {
    const all = shelves.get(query) ?? new Map<number, Shelf>();
    shelves.set(query, all);
    for (const [oldest] of all) {
      if ([...all.values()].reduce((sum, { size }) => sum + size, 0) <= most) break;
      all.delete(oldest);
    }
    this.shelf = all.get(subject.deployment) ?? { people: [], places: new Map(), days: new Map(), size: 0, roster: null };
    all.delete(subject.deployment);
    all.set(subject.deployment, this.shelf);
  }

  /** People by their numbers in the log; a person's place never changes. */
  get people(): readonly string[] {
    return this.shelf.people;
  }

  /** From the first to the last day on which anything is counted; null: there are none. */
  get extent(): Period | null {
    return this.once('extent', () => {
      let [from, to] = [Infinity, -Infinity];
      for (const day of this.revisions.keys()) [from, to] = [Math.min(from, day), Math.max(to, day)];
      return from > to ? null : { from, to };
    });
  }

  /** Makes something of it once for the question, however often it is needed. */
  once<Made>(name: string, make: () => Made): Made {
    if (!this.made.has(name)) this.made.set(name, make());
    return this.made.get(name) as Made;
  }

  /** All days on which anything is counted, in order. */
  allDays(): Promise<(HeldDay & { day: number })[]> {
    return this.once('all days', async () => (this.extent ? this.days(this.extent) : []));
  }

  /** In order, those of the days on which anything is counted. */
  async days({ from, to }: Period): Promise<(HeldDay & { day: number })[]> {
    const asked: number[] = [];
    for (let day = from; day <= to; day++) if (this.revisions.has(day)) asked.push(day);
    const stale = asked.filter((day) => this.shelf.days.get(day)?.revision !== this.revisions.get(day));
    for (let at = 0; at < stale.length; at += CHUNK) await this.read(stale.slice(at, at + CHUNK));
    return asked.map((day) => ({ day, ...this.shelf.days.get(day)! }));
  }

  roster(): Promise<HeldRoster> {
    const { shelf, query, subject } = this;
    if (shelf.roster?.version === subject.version) return shelf.roster.read;
    const read = readRoster(query, subject.deployment);
    const roster = (shelf.roster = { version: subject.version, read });
    read.catch(() => (shelf.roster === roster ? (shelf.roster = null) : null)); // the next question tries again
    return read;
  }

  private async read(days: readonly number[]): Promise<void> {
    const { shelf, query, subject, revisions } = this;
    const rows = await query<{ day: number; people: number[]; did: number[] }>(READ, [subject.deployment, days.map(dayText)]);
    const found = new Map(rows.map((row) => [row.day, row]));
    for (const day of days) {
      const { people = [], did = [] } = found.get(day) ?? {};
      const places = Int32Array.from(people, (person) => {
        let place = shelf.places.get(person);
        if (place === undefined) {
          shelf.places.set(person, (place = shelf.people.length));
          shelf.people.push(String(person));
        }
        return place;
      });
      shelf.size += places.length - (shelf.days.get(day)?.people.length ?? 0);
      shelf.days.set(day, { people: places, did: Int32Array.from(did), revision: revisions.get(day)! });
    }
  }
}

/** Of a day, its people and their bits, of all shards together. */
const READ = `select (day - '1970-01-01'::date)::int as day, json_agg(person) as people, json_agg(did) as did
  from (select day, person, bit_or(${Object.values(DID).map((condition, i) => `case when ${condition} then ${1 << i} else 0 end`).join(' + ')}) as did
          from person_day_sum d where deployment = $1 and day = any($2::date[]) group by day, person order by day, person) of_person group by day`;

async function readRoster(query: Query, deployment: number): Promise<HeldRoster> {
  const rows = await query<Omit<Rostered, 'to'> & { person: string; to: number | null; leave: boolean }>(
    `select person::text, (from_day - '1970-01-01'::date)::int as from, (to_day - '1970-01-01'::date)::int as to, team, role, on_leave as leave
       from roster where deployment = $1 order by person, from_day`, [deployment]);
  const [enabled, away] = [new Map<string, Rostered[]>(), new Map<string, Rostered[]>()];
  for (const { person, to, leave, ...row } of rows) {
    const periods = leave ? away : enabled;
    const period = { ...row, to: to ?? Infinity };
    const own = periods.get(person);
    if (own) own.push(period);
    else periods.set(person, [period]);
  }
  return { enabled, away };
}
