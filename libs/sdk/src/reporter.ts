/**
 * What a host reports with. `new Foothold(…)` is one; `foothold.as(person)` is another over the same queue and session.
 * What arrives: calls of the host. What leaves: reports to the session. Nothing here throws or waits.
 */
import { factsIn } from './check.js';
import { type Stats } from './drops.js';
import { type Initiative, type InputQuality, type Surface } from './events.js';
import { Invocation, type Stamp } from './invocation.js';
import { type Report } from './maker.js';
import { type Session } from './session.js';
import { momentText, type Moment, type Time } from './time.js';
import { carriedBy, type HeaderSource } from './token.js';

export interface InvocationFacts {
  /** Where: inside the software the work is done in, in a separate tool, or by exporting and importing. */
  surface: Surface;
  /** Whose idea: the person asked, the software asked by itself, or a rule obliges the person to ask. */
  initiative: Initiative;
  /** The unit of work it is for, under the id that `task` reports. */
  task?: string;
  /** The kind of work, from the list the deployment declares: `claim-triage`. */
  taskKind?: string;
  /** The model, with its version: `triage-large-2.1`. */
  model?: string;
  /** The release of the AI system around the model. */
  release?: string;
  input?: InputQuality;
  /** The invocation's id, unique for the person; otherwise one is made up. A job that may run twice gives it, and `eventId` too. */
  id?: string;
  /** The id of the event that tells of the begin. */
  eventId?: string;
  time?: Time;
}

export interface TaskFacts extends Stamp {
  /** The unit of work that is finished, unique for the person. */
  task: string;
  taskKind: string;
  /** Whether the AI was used, as far as the host knows; counts only where no invocation names the task. */
  aided?: boolean;
  /** Milliseconds of work. */
  durationMs?: number;
}

export interface QueueFacts extends Stamp {
  taskKind: string;
  /** How many units of work wait for a person now. */
  items: number;
}

export interface FeedFacts extends Stamp {
  kind: 'tasks' | 'invocations';
  from: Moment;
  to: Moment;
  /** How many the system of record counts in the span. */
  count: number;
}

export interface FeedbackFacts extends Stamp {
  /** The invocation it is about, or its id; left out where it is about the system as a whole. */
  invocation?: Invocation | string;
  /** From -1, bad, to 1, good. */
  score: number;
  /** What the person wrote; only where the deployment allows comments. */
  comment?: string;
}

export interface OutcomeFacts extends Stamp {
  /** Which outcome, as the deployment declares it: `days-to-decision`. */
  outcome: string;
  from: Moment;
  to: Moment;
  /** The mean over the span. */
  value: number;
  /** How many cases it is the mean of. */
  count: number;
  /** Their standard deviation. */
  sd?: number;
  team?: string;
  /** Whether these are the cases with the AI or those without. */
  aided?: boolean;
  /** Counts up when the same span is measured anew. */
  revision?: number;
}

export interface ModelScoreFacts extends Stamp {
  /** Which measure: `auc`. */
  measure: string;
  from: Moment;
  to: Moment;
  value: number;
  count: number;
}

export interface TruthFacts extends Stamp {
  /** The invocation it is about, or its id. */
  invocation: Invocation | string;
  /** Whether the result was right. */
  aiRight: boolean;
  /** Whether the person was, before seeing the result. */
  firstRight?: boolean;
  /** Whether what the person did in the end was. */
  finalRight?: boolean;
  /** With which probability this case was picked for the audit; left out where every case is. */
  sampledWith?: number;
}

export class Reporter {
  /** @internal */
  protected readonly session: Session;
  private readonly person: string | undefined;

  /** @internal made by `new Foothold` and `as` */
  constructor(session: Session, person: string | undefined) {
    this.session = session;
    this.person = person;
  }

  /**
   * A light view that reports in somebody's name, over the same queue and session: one a request is fine. With a person
   * token, in a browser, nobody but its person can be spoken for: what is reported for others is dropped.
   */
  readonly as = (person: string): Reporter => new Reporter(this.session, person);

  /** Somebody, or a rule on their behalf, asks the AI for something. */
  readonly invocation = (facts: InvocationFacts): Invocation => {
    const { session, person } = this;
    let handle: Invocation | undefined;
    session.guard('invocation', () => {
      const { id, eventId, time, ...rest } = factsIn(facts);
      const { deployment } = session.settings;
      const traceparent = session.traceUnderWay() ?? session.maker.names.traceparent(session.settings.traces);
      handle = new Invocation(session, { deployment, person, invocation: id ?? session.maker.names.uuid(session.machine.now()), traceparent });
      handle.begin(rest, eventId, time);
    });
    return handle ?? new Invocation(session, 'malformed');
  };

  /**
   * Goes on with an invocation of another process, from its token or the headers of a request. Where there is none, or
   * none of ours, the handle does nothing: each of its calls counts as dropped.
   */
  readonly resume = (carrier: string | HeaderSource): Invocation => {
    const carried = carriedBy(carrier);
    return new Invocation(this.session, typeof carried === 'string' ? carried : { ...carried, person: carried.person ?? this.person });
  };

  /** A unit of work is finished, with the AI or without. */
  readonly task = (facts: TaskFacts): void => this.say('task', 'task.completed', facts);

  /** How much work waits for a person at this moment. */
  readonly queue = (facts: QueueFacts): void => this.say('queue', 'queue.filled', facts);

  /** The control total of the system of record, to check the events against. */
  readonly feed = (facts: FeedFacts): void => this.say('feed', 'feed.counted', facts);

  /** What somebody thinks of a result, or of the system as a whole. */
  readonly feedback = (facts: FeedbackFacts): void => this.sayAbout('feedback', 'feedback.given', facts);

  /** The operational result the AI is there for, over a span. */
  readonly outcome = (facts: OutcomeFacts): void => this.say('outcome', 'outcome.measured', facts);

  /** How good the model is by its own measure, over a span. */
  readonly modelScore = (facts: ModelScoreFacts): void => this.say('modelScore', 'model.scored', facts);

  /** It became known what would have been right. */
  readonly truth = (facts: TruthFacts): void => this.sayAbout('truth', 'truth.established', facts);

  /**
   * Sends what waits now, without waiting for more; after a failure the next attempt still waits its time.
   * @param timeoutMs 10,000 where it is left out or no number; at most 24 days, which `Infinity` comes to
   * @returns whether everything reported before this call is settled
   */
  readonly flush = (timeoutMs?: number): Promise<boolean> => this.session.flush(timeoutMs);

  /**
   * Sends what waits, and confesses what cannot be sent in time. Nothing can be reported afterwards.
   * @param timeoutMs 5,000 where it is left out or no number; at most 24 days, which `Infinity` comes to
   * @returns whether nothing had to be dropped for want of time
   */
  readonly shutdown = (timeoutMs?: number): Promise<boolean> => this.session.shutdown(timeoutMs);

  readonly stats = (): Stats => this.session.stats();

  private say(call: string, name: Report['name'], facts: Stamp): void {
    this.session.guard(call, () => {
      const { id, time, ...rest } = factsIn(facts);
      const spanned = rest as { from?: unknown; to?: unknown };
      if ('from' in spanned) spanned.from = momentText(spanned.from);
      if ('to' in spanned) spanned.to = momentText(spanned.to);
      this.session.report({ call, name, deployment: this.session.settings.deployment, person: this.person, facts: rest, id, time });
    });
  }

  /** With a handle, in the name of the person whose invocation it is. */
  private sayAbout(call: string, name: Report['name'], facts: FeedbackFacts | TruthFacts): void {
    this.session.guard(call, () => {
      const { invocation, ...rest } = factsIn(facts);
      if (!(invocation instanceof Invocation)) return this.say(call, name, facts);
      const { id, time, ...data } = rest;
      invocation.say(call, name, data, { id, time });
    });
  }
}
