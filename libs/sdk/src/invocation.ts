/**
 * The handle of one invocation: the story of one request to the AI, told as it happens. What arrives: calls of the host. What
 * leaves: reports to the session, with the durations between them. None of it throws, waits or returns anything.
 */
import { factsIn } from './check.js';
import { classOf } from './failure.js';
import { type Cause, type EventName } from './events.js';
import { type Session } from './session.js';
import { textOf, microsOf, TIME_WORDS, type Time } from './time.js';
import { HEADER, tokenOf, type Carried } from './token.js';

/** What every call takes beside its own facts. */
export interface Stamp {
  /** The event's id, 1 to 128 characters: the host's own name for what happened (`erp:4711:2`), so that a job that runs twice counts once. */
  id?: string;
  /** When it happened; otherwise now. */
  time?: Time;
}

export interface ShownFacts extends Stamp {
  /** How many options the result offers. */
  options?: number;
  /** How sure the AI said it was, from 0 to 1. */
  confidence?: number;
  model?: string;
  release?: string;
  /** Milliseconds to the first visible part; otherwise those to the first call of `streaming`. */
  firstMs?: number;
  /** Milliseconds to the complete result; otherwise those from `invocation` to this call. */
  latencyMs?: number;
}

export interface DecisionFacts extends Stamp {
  /** How much of the result was changed, 0 nothing to 1 everything: `changed(before, after)`. */
  changed?: number;
  /** Milliseconds from seeing to deciding; otherwise those from `shown` to this call. */
  dwellMs?: number;
  /** Who decided, where that is not the person whose invocation it is. */
  actor?: string;
}

export interface AcceptedFacts extends DecisionFacts {
  /** Which of the options was taken, 0 being the first. */
  option?: number;
}

export interface OverriddenFacts extends DecisionFacts {
  /** Why, as a code the deployment declares (`wrong-tone`); never a sentence. */
  reason?: string;
}

export interface WithdrawnFacts extends Stamp {
  actor?: string;
}

export interface RecheckedFacts extends Stamp {
  /** The share of the accepted result that survived. */
  kept: number;
  /** Days from the acceptance to this check. */
  afterDays: number;
}

/** A moment by two clocks; `told` where the host said when it was, so that only the wall clock counts. */
interface Instant {
  wall: number;
  monotonic: number;
  told: boolean;
}

const YEAR_MS = 31_622_400_000;

/** What a handle stands for: an invocation, or nothing, because what it was resumed from was missing or malformed. */
export type Standing = Carried | 'missing' | 'malformed';

export class Invocation {
  /** The invocation's id; empty where the handle stands for nothing. */
  readonly id: string;
  private startedAt: Instant | undefined;
  private firstAt: Instant | undefined;
  private shownAt: Instant | undefined;
  /** A decision, or a failure: after it nothing is abandoned. */
  private settled = false;
  private lastTime = 0;

  /** @internal made by `foothold.invocation` and `foothold.resume` */
  constructor(
    private readonly session: Session,
    private readonly standing: Standing,
  ) {
    this.id = typeof standing === 'string' ? '' : standing.invocation;
  }

  /** What names this invocation in another process, days later: `foothold.resume(token)`. It names the person: keep it out of logs. */
  get token(): string {
    const { standing } = this;
    try {
      return typeof standing === 'string' ? '' : tokenOf(standing);
    } catch {
      return ''; // of an id that is none, which is told with every call
    }
  }

  /** The token as headers, with the trace of the work under way: for requests to the host's own backend. */
  readonly headers = (): Record<string, string> => {
    if (typeof this.standing === 'string') return {};
    const traceparent = this.session.traceUnderWay() ?? this.standing.traceparent;
    return { [HEADER]: this.token, ...(traceparent === undefined ? {} : { traceparent }) };
  };

  /** @internal for the handle that is there from its begin */
  begin(facts: object, id: unknown, time: unknown): void {
    this.startedAt = this.instant(time);
    this.say('invocation', 'invocation.started', facts, { id, time });
  }

  /** Part of the result can be seen; only the first call counts. */
  readonly streaming = (facts: { time?: Time } = {}): void => {
    this.session.guard('streaming', () => {
      const time: unknown = facts?.time ?? undefined;
      if (time !== undefined && textOf(time) === undefined) return this.session.warnings.say('invalid-argument', `streaming: time must be ${TIME_WORDS}; the call is left out`, 'streaming.time');
      this.firstAt ??= this.instant(time);
    });
  };

  /** The result can be seen, whole. Only the first call that is right counts. */
  readonly shown = (facts: ShownFacts = {}): void => {
    this.session.guard('shown', () => {
      if (this.shownAt) return;
      const { id, time, ...rest } = factsIn(facts);
      const at = this.instant(time);
      if (this.say('shown', 'result.shown', { firstMs: between(this.startedAt, this.firstAt), latencyMs: between(this.startedAt, at), ...rest }, { id, time })) this.shownAt = at;
    });
  };

  /** The person took the result, as it was or changed. */
  readonly accepted = (facts: AcceptedFacts = {}): void => this.decide('accepted', 'result.accepted', facts);

  /** The person decided against the result and did something else. */
  readonly overridden = (facts: OverriddenFacts = {}): void => this.decide('overridden', 'result.overridden', facts);

  /** The person left the result without a decision. After a decision it says nothing, so it may be called whenever a view closes. */
  readonly abandoned = (cause: Cause, stamp: Stamp = {}): void => {
    this.session.guard('abandoned', () => {
      if (!this.settled) this.say('abandoned', 'result.abandoned', { cause }, stamp ?? {});
    });
  };

  /** An undo: every decision so far is taken back. */
  readonly withdrawn = (facts: WithdrawnFacts = {}): void => {
    this.session.guard('withdrawn', () => {
      const { id, time, ...rest } = factsIn(facts);
      if (this.say('withdrawn', 'decision.withdrawn', rest, { id, time })) this.settled = false;
    });
  };

  /** The AI gave no result. Of an error only its class is told (`TimeoutError`, `ECONNRESET`), never its message. */
  readonly failed = (error: unknown, stamp: Stamp = {}): void => {
    this.session.guard('failed', () => {
      if (this.say('failed', 'invocation.failed', { error: classOf(error) }, stamp ?? {})) this.settled = true;
    });
  };

  /** Some time after acceptance it was measured how much of the result is still there. */
  readonly rechecked = (facts: RecheckedFacts): void => {
    this.session.guard('rechecked', () => {
      const { id, time, ...rest } = factsIn(facts);
      this.say('rechecked', 'result.rechecked', rest, { id, time });
    });
  };

  private decide(call: string, name: EventName, facts: AcceptedFacts & OverriddenFacts): void {
    this.session.guard(call, () => {
      const { id, time, ...rest } = factsIn(facts);
      if (this.say(call, name, { dwellMs: between(this.shownAt, this.instant(time)), ...rest }, { id, time })) this.settled = true;
    });
  }

  /**
   * @internal reports in this invocation's name, also what foothold reports about it
   * @returns whether the call makes an event; one that makes none leaves the handle as it was
   */
  say(call: string, name: EventName, facts: object, { id, time }: { id?: unknown; time?: unknown }): boolean {
    const { standing } = this;
    if (typeof standing === 'string') {
      this.session.drop(`${standing}-token`, 'token', `${call}: the handle was resumed from ${standing === 'missing' ? 'no token' : 'something that is no token'}; it was dropped`, call);
      return false;
    }
    return this.session.report({ call, name, ...standing, facts: { ...facts, invocation: standing.invocation }, id, time: time ?? this.now() });
  }

  /** Not before what this handle told last, so that a clock that is set back turns no story round. */
  private now(): number {
    this.lastTime = Math.max(this.lastTime, this.session.machine.now());
    return this.lastTime;
  }

  private instant(time: unknown): Instant {
    const told = textOf(time);
    const { machine } = this.session;
    return { wall: told === undefined ? machine.now() : microsOf(told)! / 1000, monotonic: machine.monotonic(), told: told !== undefined };
  }
}

/** Milliseconds from one moment to another; undefined where one is not known or they are the wrong way round. */
function between(from: Instant | undefined, to: Instant | undefined): number | undefined {
  if (!from || !to) return undefined;
  const milliseconds = from.told || to.told ? to.wall - from.wall : to.monotonic - from.monotonic;
  return milliseconds >= 0 && milliseconds <= YEAR_MS ? milliseconds : undefined;
}
