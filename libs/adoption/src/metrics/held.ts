/**
 * What the process holds of a deployment from one question to the next: who did what on which day, and the roster.
 *
 * What arrives: how often each day was changed, and the version of the deployment, as they were read for a question. What
 * leaves: the days' people, each with what they did as bits or how often, and the periods of the roster. A day is read again only where it
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
  timed: 'd.timed > 0', timed_accepted: 'd.timed_accepted > 0', stated: 'd.stated > 0', stated_truth: 'd.stated_truth > 0', judged: 'd.judged > 0',
  wrong: 'd.wrong_accepted + d.wrong_overridden > 0', right: 'd.right_accepted + d.right_overridden > 0', override_judged: 'd.override_judged > 0',
  rair_judged: 'd.rair_judged > 0', rsr_judged: 'd.rsr_judged > 0', feedback: 'd.feedback > 0',
};
export type Did = keyof typeof DID;

/** The bits of what is named. */
export const bitsOf = (...names: readonly Did[]): number => names.reduce((bits, name) => bits | (1 << Object.keys(DID).indexOf(name)), 0);

/** What is counted on a day, a column a key or amount: people are their place in Held.people, codes theirs in Held.codes. */
export interface HeldDay {
  day: number;
  columns: readonly Column[];
}
type Column = Uint8Array | Int32Array | Float64Array;

/** Rows of a read table: of each day, one for all that have the same keys. */
export interface Rows {
  /** It has deployment and day, and is called `d`. */
  table: string;
  keys: Readonly<Record<string, 'person' | 'code' | 'number'>>;
  /** SQL that adds up rows. */
  amounts: readonly string[];
  /** Only rows of which this is true. */
  where: string;
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
  people: Names<number>;
  codes: Names<string>;
  /** By what is counted, by day. */
  days: Map<string, Map<number, HeldDay & { revision: string }>>;
  bytes: number;
  roster: { version: number; read: Promise<HeldRoster> } | null;
}

/** By database, whose queries are all run by the same function, and deployment; what was asked for last comes last. */
const shelves = new WeakMap<Query, Map<number, Shelf>>();

function shelvesOf(query: Query): Map<number, Shelf> {
  const all = shelves.get(query) ?? new Map<number, Shelf>();
  shelves.set(query, all);
  return all;
}

/** What is held for one function is held for another that runs queries on the same database. */
export function holdFor(other: Query, query: Query): void {
  shelves.set(other, shelvesOf(query));
}

/** Bytes that are held of all deployments of a database: beyond, those that were not asked for longest are dropped. */
const MOST_HELD = 256 * 1024 * 1024;
/** Days that are read in one statement. */
const CHUNK = 56;

/** What is held of a deployment, as one question sees it. */
export class Held {
  private readonly shelf: Shelf;
  private readonly made = new Map<string, unknown>();

  /**
   * @param revisions by day on which anything is counted: another text whenever anything on it was changed
   * @param most bytes that may be held already
   */
  constructor(private readonly query: Query, private readonly subject: Subject, private readonly revisions: ReadonlyMap<number, string>, most = MOST_HELD) {
    const all = shelvesOf(query);
    for (const [oldest] of all) {
      if ([...all.values()].reduce((sum, { bytes }) => sum + bytes, 0) <= most) break;
      all.delete(oldest);
    }
    this.shelf = all.get(subject.deployment) ?? { people: new Names(), codes: new Names(), days: new Map(), bytes: 0, roster: null };
    all.delete(subject.deployment);
    all.set(subject.deployment, this.shelf);
  }

  /** People by their numbers in the log; a person's place never changes. */
  get people(): readonly string[] {
    return this.shelf.people.all;
  }

  placeOf(person: string): number {
    return this.shelf.people.placeOf(Number(person));
  }

  get codes(): readonly string[] {
    return this.shelf.codes.all;
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

  /** What people did on all days on which anything is counted, in order. */
  allDays(): Promise<HeldDay[]> {
    return this.once('all days', async () => (this.extent ? this.days(this.extent) : []));
  }

  /** Of everybody of whom anything is counted on a day, the bits of what they did; of such days, in order. */
  days(days: Period): Promise<HeldDay[]> {
    return this.rows(ALL_DID, days);
  }

  /** Of everybody with any of these counters of person_day_sum on a day, these, in their order; of days on which anything is counted, in order. */
  sums(counters: readonly string[], days: Period): Promise<HeldDay[]> {
    return this.rows({ table: 'person_day_sum d', keys: { person: 'person' }, amounts: counters.map((counter) => `sum(d.${counter})`), where: counters.map((counter) => `d.${counter} <> 0`).join(' or ') }, days);
  }

  /** Of days on which anything is counted, in order, the keys and amounts of the rows, in the order of the keys. */
  async rows(rows: Rows, { from, to }: Period): Promise<HeldDay[]> {
    const { shelf, revisions } = this;
    const name = JSON.stringify(rows);
    const held = shelf.days.get(name) ?? new Map<number, HeldDay & { revision: string }>();
    shelf.days.set(name, held);
    const asked: number[] = [];
    for (let day = from; day <= to; day++) if (revisions.has(day)) asked.push(day);
    const stale = asked.filter((day) => held.get(day)?.revision !== revisions.get(day));
    for (let at = 0; at < stale.length; at += CHUNK) {
      const days = stale.slice(at, at + CHUNK);
      const found = await this.read(rows, days);
      for (const day of days) {
        const read = { day, columns: found.get(day) ?? noColumns(rows), revision: revisions.get(day)! };
        shelf.bytes += bytesOf(read) - bytesOf(held.get(day));
        held.set(day, read);
      }
    }
    return asked.map((day) => held.get(day)!);
  }

  roster(): Promise<HeldRoster> {
    const { shelf, query, subject } = this;
    if (shelf.roster?.version === subject.version) return shelf.roster.read;
    const read = readRoster(query, subject.deployment);
    const roster = (shelf.roster = { version: subject.version, read });
    read.catch(() => (shelf.roster === roster ? (shelf.roster = null) : null)); // the next question tries again
    return read;
  }

  private async read({ table, keys, amounts, where }: Rows, days: readonly number[]): Promise<Map<number, Column[]>> {
    const { shelf, query, subject } = this;
    const names = Object.keys(keys);
    const found = await query<{ day: number; columns: (number | string)[][] }>(
      `select (day - '1970-01-01'::date)::int as day, json_build_array(${[...names, ...amounts.map((_, i) => `a${i}`)].map((column) => `json_agg(${column})`).join(', ')}) as columns
         from (select day, ${names.join(', ')}, ${amounts.map((amount, i) => `${amount} as a${i}`).join(', ')}
                 from ${table} where deployment = $1 and day = any($2::date[]) and (${where}) group by day, ${names.join(', ')} order by day, ${names.join(', ')}) counted group by day`,
      [subject.deployment, days.map(dayText)]);
    const kinds = Object.values(keys);
    return new Map(found.map(({ day, columns }) => [day, columns.map((column, i) => {
      if (kinds[i] === 'person') return Int32Array.from(column as number[], (person) => shelf.people.placeOf(person));
      if (kinds[i] === 'code') return Int32Array.from(column as string[], (code) => shelf.codes.placeOf(code));
      return narrow(column as number[]);
    })]));
  }
}

/** Names in the order in which they were met first, each with its place. */
class Names<Name extends string | number> {
  readonly all: string[] = [];
  private readonly places = new Map<Name, number>();

  placeOf(name: Name): number {
    let place = this.places.get(name);
    if (place === undefined) {
      this.places.set(name, (place = this.all.length));
      this.all.push(String(name));
    }
    return place;
  }
}

/** Those of the days that are in a period, with its place; both in order. */
export function* inPeriods(days: readonly HeldDay[], periods: readonly Period[]): Generator<{ period: number; day: number; columns: HeldDay['columns'] }> {
  let period = 0;
  for (const held of days) {
    while (period < periods.length && held.day > periods[period]!.to) period++;
    if (period === periods.length) return;
    if (held.day >= periods[period]!.from) yield { period, ...held };
  }
}

/** From the first day of the first period to the last of the last. */
export const spanOf = (periods: readonly Period[]): Period => ({ from: periods[0]!.from, to: periods.at(-1)!.to });

/** Of each person, what they did on a day, as a number. */
const ALL_DID: Rows = {
  table: 'person_day_sum d', keys: { person: 'person' }, where: 'true',
  amounts: [`bit_or(${Object.values(DID).map((condition, i) => `case when ${condition} then ${1 << i} else 0 end`).join(' + ')})`],
};

const noColumns = ({ keys, amounts }: Rows): Column[] => [...Object.keys(keys), ...amounts].map(() => new Uint8Array());
const bytesOf = (day: HeldDay | undefined): number => (day ? day.columns.reduce((sum, { byteLength }) => sum + byteLength, 0) : 0);

/** In as few bytes as there can be: most people do few things on a day. */
function narrow(amounts: readonly number[]): Column {
  let [least, most] = [0, 0];
  for (const amount of amounts) [least, most] = [Math.min(least, amount), Math.max(most, amount)];
  if (least >= 0 && most < 2 ** 8) return Uint8Array.from(amounts);
  return least >= -(2 ** 31) && most < 2 ** 31 ? Int32Array.from(amounts) : Float64Array.from(amounts);
}

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
