/**
 * What one person does, day by day: tasks with the AI and without, and what becomes of its results.
 * What arrives: a person and the days. What leaves: calls on the SDK. Next is `organisation.ts`, which puts everybody's in order.
 */
import { type Surface } from '@foothold/sdk';
import { osloTime, textOf } from './calendar.js';
import { type Call, type InvocationCall, type PersonCall } from './calls.js';
import { Chance } from './chance.js';
import { HANDOFF_WEEK, works, type Person, type Span } from './people.js';
import { fates, mustAsk, propensity, reasons, releaseIn } from './usage.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const DAY = 1_440 * MINUTE;
const [MORNING, AFTERNOON] = [7.5 * 60, 15 * 60];
/** How often it happens, of the results or tasks it can happen to. */
const RATES = { failure: 0.012, undo: 0.025, seniorDecides: 0.05, decidedNextDay: 0.02, rechecked: 0.05, audited: 0.02, feedback: 0.015, otherTool: 0.01, besideTasks: 0.1, reasonless: 0.15 };
const RECHECKED_AFTER_DAYS = 14;
const AUDITED_AFTER_DAYS = 5;

/** Nearly everybody, by turns, is on leave in July, and so is what they wait for. */
const volume = (day: number): number => (textOf(day).slice(5, 7) === '07' ? 0.75 : 1);

export function workOf(person: Person, seniors: readonly Person[], span: Span, seed: string): Call[] {
  const work = new Work(person, seniors, new Chance(seed, 'work', person.id));
  for (let day = span.first; day <= span.last; day++) work.day(day, Math.floor((day - span.first) / 7));
  return work.calls;
}

class Work {
  readonly calls: Call[] = [];
  private readonly number: string;
  private tasks = 0;
  private invocations = 0;

  constructor(
    private readonly person: Person,
    private readonly seniors: readonly Person[],
    private readonly chance: Chance,
  ) {
    this.number = person.id.slice(2);
  }

  day(day: number, week: number): void {
    const { chance, person } = this;
    if (!works(person, day, chance)) return;
    const count = chance.poisson(person.tasksADay * volume(day));
    const begins = Array.from({ length: count }, () => osloTime(day, chance.between(MORNING, AFTERNOON))).sort((one, other) => one - other);
    for (const begin of begins) this.task(begin, week);
    if (chance.happens(RATES.besideTasks * propensity(person, week))) this.ask(osloTime(day, chance.between(MORNING, AFTERNOON)), week, undefined);
  }

  private task(begin: number, week: number): void {
    const { chance, person } = this;
    const task = `t-${this.number}-${++this.tasks}`;
    const aided = chance.happens(propensity(person, week));
    const left = aided ? this.ask(begin, week, task) : begin;
    const durationMs = Math.round(2 * MINUTE + chance.exponential((aided ? 6 : 10) * MINUTE));
    // Some take the text to a tool of their own: the host knows only that there was one.
    const flag = !aided && chance.happens(RATES.otherTool) ? { aided: true } : {};
    this.tell({ call: 'task', at: Math.max(left, begin + durationMs), facts: { task, taskKind: person.team.taskKind, durationMs, ...flag } });
  }

  /** Asks the AI; @returns when the person is done with the result for now. */
  private ask(at: number, week: number, task: string | undefined): number {
    const { chance, person } = this;
    const { taskKind } = person.team;
    const invocation = `i-${this.number}-${++this.invocations}`;
    const letters = taskKind === 'discharge-letter';
    const surface: Surface = letters ? 'side-tool' : chance.happens(0.06) ? 'export' : 'in-workflow';
    const initiative = mustAsk(person, week) ? 'mandated' : !letters && chance.happens(0.3) ? 'automatic' : 'person';
    const input = letters ? {} : { input: this.input(week) };
    this.say({ call: 'invocation', invocation, at, facts: { ...(task !== undefined && { task }), taskKind, surface, initiative, ...releaseIn(week), ...input } });
    if (chance.happens(RATES.failure)) {
      const failedAt = at + Math.round(chance.between(2, 30) * SECOND);
      this.say({ call: 'failed', invocation, at: failedAt, facts: { error: chance.pick(['TimeoutError', 'TimeoutError', 'quota_exceeded']) } });
      return this.ask(failedAt + MINUTE, week, task);
    }
    const options = letters ? 1 : 1 + chance.below(3);
    const shownAt = at + Math.round((letters ? 1_500 : 400) + chance.exponential(letters ? 3_000 : 700));
    this.say({ call: 'shown', invocation, at: shownAt, facts: { options, confidence: hundredths(Math.min(0.99, Math.max(0.3, chance.normal(0.78, 0.12)))) } });
    return this.decide(invocation, shownAt, week, options);
  }

  private decide(invocation: string, shownAt: number, week: number, options: number): number {
    const { chance, person } = this;
    const looked = Math.round(4 * SECOND + chance.exponential(mustAsk(person, week) ? 8 * SECOND : 45 * SECOND));
    const at = shownAt + looked + (chance.happens(RATES.decidedNextDay) ? Math.round(chance.between(0.7, 1.2) * DAY) : 0);
    switch (chance.weighted({ ...fates(person, week) })) {
      case 'accepted':
        return this.accept(invocation, at, week, options);
      case 'overridden':
        this.override(invocation, at, week);
        this.audit(invocation, at, false);
        return shownAt + looked;
      case 'abandoned': {
        const cause = chance.weighted({ dismissed: 40, navigated: 30, stopped: 8, 'timed-out': 7, 'worked-around': person.team.decaysFrom !== undefined && week >= person.team.decaysFrom ? 45 : 15 });
        this.say({ call: 'abandoned', invocation, at: shownAt + looked, facts: { cause } });
        return shownAt + looked;
      }
      case 'left':
        return shownAt + looked;
    }
  }

  private accept(invocation: string, at: number, week: number, options: number): number {
    const { chance, person } = this;
    const letters = person.team.taskKind === 'discharge-letter';
    const option = options > 1 ? { option: Math.min(options - 1, Math.floor(chance.exponential(0.6))) } : {};
    const changed = chance.happens(letters ? 0.4 : 0.8) ? 0 : hundredths(Math.min(0.95, chance.exponential(0.2)));
    // In surgery a senior's word is needed now and then.
    const senior = person.team.id === 'surgery' && chance.happens(RATES.seniorDecides) ? chance.pick(this.seniors) : person;
    const actor = senior === person ? {} : { actor: senior.id };
    this.say({ call: 'accepted', invocation, at, facts: { ...option, changed, ...actor } });
    if (chance.happens(RATES.undo)) {
      const undoneAt = at + Math.round(chance.between(3, 60) * SECOND);
      this.say({ call: 'withdrawn', invocation, at: undoneAt, facts: actor });
      if (chance.happens(0.7)) this.override(invocation, undoneAt + 20 * SECOND, week);
      return undoneAt;
    }
    if (letters && chance.happens(RATES.rechecked)) {
      this.say({ call: 'rechecked', invocation, at: at + RECHECKED_AFTER_DAYS * DAY, facts: { kept: hundredths(1 - changed * chance.next()), afterDays: RECHECKED_AFTER_DAYS } });
    }
    this.audit(invocation, at, true);
    if (chance.happens(RATES.feedback)) this.tell({ call: 'feedback', at: at + MINUTE, facts: { invocation, score: chance.happens(0.8) ? 1 : -1 } });
    return at;
  }

  private override(invocation: string, at: number, week: number): void {
    const { chance, person } = this;
    const reason = chance.happens(RATES.reasonless) ? {} : { reason: chance.weighted(reasons(person, week)) };
    this.say({ call: 'overridden', invocation, at, facts: { ...reason, changed: hundredths(chance.between(0.3, 1)) } });
  }

  /** A sample is looked at again by somebody who did not see the AI. */
  private audit(invocation: string, at: number, took: boolean): void {
    const { chance } = this;
    if (!chance.happens(RATES.audited)) return;
    const aiRight = chance.happens(took ? 0.93 : 0.35);
    const facts = { invocation, aiRight, finalRight: took ? aiRight : chance.happens(0.9), sampledWith: RATES.audited };
    this.tell({ call: 'truth', at: at + AUDITED_AFTER_DAYS * DAY, facts });
  }

  /** The pilot had clean referrals; production has what there is. */
  private input(week: number) {
    const { chance } = this;
    const scanned = chance.happens(week < HANDOFF_WEEK ? 0.05 : 0.3);
    const [fields, lacking] = [12, week < HANDOFF_WEEK ? 0.3 : scanned ? 2.2 : 0.8];
    const missing = Math.min(6, chance.poisson(lacking));
    return { profile: scanned ? 'scanned-form' : 'structured', fields, missing, unknown: Math.min(3, chance.poisson(lacking / 4)), malformed: Math.min(3, chance.poisson(scanned ? 0.5 : 0.05)) };
  }

  private say(call: WithoutWho<InvocationCall>): void {
    this.calls.push({ ...call, person: this.person.id, id: this.chance.uuid(call.at) } as InvocationCall);
  }

  private tell(call: WithoutWho<PersonCall>): void {
    this.calls.push({ ...call, person: this.person.id, id: this.chance.uuid(call.at) } as PersonCall);
  }
}

/** Of each kind of call, not of what they have in common. */
type WithoutWho<Kind> = Kind extends unknown ? Omit<Kind, 'person' | 'id'> : never;

const hundredths = (share: number): number => Math.round(share * 100) / 100;
