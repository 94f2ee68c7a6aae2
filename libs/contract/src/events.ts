/**
 * Every usage event: what its `data` holds, field by field, and whether it is about a person.
 *
 * Only ids, codes, counts, durations and shares: what a person typed or an AI answered has no field here, and a field
 * that is not named here is refused. The one free text is the comment of feedback.given, off unless a deployment allows it.
 */
import Type, { type Static, type TObject, type TProperties } from 'typebox';
import { FORMS, text } from './forms.js';

/** A year; nothing that is measured in milliseconds here lasts longer. */
const YEAR_MS = 31_622_400_000;
const MILLION = 1_000_000;
/** Sums of a whole period; far above any, and exact as a number. */
const TOTAL = 1_000_000_000_000;

const code = (description: string) => text('code', description);
const id = (description: string) => text('id', description);
const count = (description: string, maximum = MILLION) => Type.Integer({ minimum: 0, maximum, description });
const milliseconds = (description: string) => Type.Integer({ minimum: 0, maximum: YEAR_MS, description });
const share = (description: string) => Type.Number({ minimum: 0, maximum: 1, description });
const measured = (description: string) => Type.Number({ minimum: -1e15, maximum: 1e15, description });
const flag = (description: string) => Type.Boolean({ description });
const optional = Type.Optional;

/** Whether events of a name carry a `subject`: those about one person must, those of a deployment as a whole must not. */
export type SubjectRule = 'required' | 'forbidden' | 'optional';

export interface EventDefinition<Data extends TObject = TObject> {
  description: string;
  subjectRule: SubjectRule;
  data: Data;
}

function event<Properties extends TProperties>(subjectRule: SubjectRule, description: string, properties: Properties) {
  return { description, subjectRule, data: Type.Object(properties, { additionalProperties: false, description }) };
}

const invocation = id('The request to the AI this is about, under the id the host gave it in invocation.started.');
const taskKind = code('The kind of work, from the list the deployment declares, such as claim-triage.');
const model = code('The model that answered, with its version, such as triage-large-2.1.');
const release = code('The release of the AI system around the model: prompts, retrieval, rules.');
const option = optional(count('Which of the options shown was taken, 0 being the first.'));
const changed = (description: string) => optional(share(description));
const dwellMs = optional(milliseconds('Milliseconds from when the person saw the result to when they decided.'));
const actor = optional(text('person', 'Who decided, where that is not the person whose invocation it is; becomes a pseudonym before anything is stored.'));
const from = text('moment', 'Begin of the span: a local day of the deployment (2026-01-05) or an instant with its offset (2026-01-05T00:00:00Z).');
const to = text('moment', 'End of the span, in the same form as from: a day is included whole, an instant is the first that is not.');

/** The usage events by name; the `type` of an event is `foothold.<name>.v<version>`. */
export const EVENTS = {
  'invocation.started': event('required', 'A person, or a rule on their behalf, asked the AI for something; inner model calls of an agent are no invocations.', {
    invocation: id('The id of this request to the AI, unique for the person within the deployment; every later event about it repeats it.'),
    task: optional(id('The unit of work this is for, under the id by which task.completed reports it.')),
    taskKind: optional(taskKind),
    surface: Type.Enum(['in-workflow', 'side-tool', 'export'], { description: 'Where it happened: inside the software the work is done in, in a separate tool, or by exporting and importing.' }),
    initiative: Type.Enum(['person', 'automatic', 'mandated'], { description: 'Whose idea it was: the person asked, the software asked by itself, or a rule obliges the person to ask.' }),
    model: optional(model),
    release: optional(release),
    input: optional(Type.Object({
      profile: optional(code('The kind of input, where a deployment has several, such as scanned-form.')),
      fields: count('How many fields the input is expected to have.'),
      missing: count('How many of these fields were empty.'),
      unknown: count('How many of these fields held a value never met in the pilot.'),
      malformed: count('How many of these fields held something that could not be read.'),
    }, { additionalProperties: false, description: 'How good the input was, counted by the host in fields; never the input itself.' })),
  }),
  'invocation.failed': event('required', 'The AI gave no result.', {
    invocation,
    error: code('The class of the error, such as timeout or quota; never its message.'),
  }),
  'result.shown': event('required', 'A person was shown what the AI answered; being shown a result is not yet use.', {
    invocation,
    options: optional(count('How many options the result offered.')),
    firstMs: optional(milliseconds('Milliseconds from the request to the first visible part of the result.')),
    latencyMs: optional(milliseconds('Milliseconds from the request to the complete result.')),
    confidence: optional(share('How sure the AI said it was, from 0 to 1.')),
    model: optional(model),
    release: optional(release),
  }),
  'result.accepted': event('required', 'A person took the result, as it was or edited.', {
    invocation,
    option,
    changed: changed('How much was edited before use, 0 verbatim to 1 rewritten: character edit distance divided by the longer length.'),
    dwellMs,
    actor,
  }),
  'result.overridden': event('required', 'A person decided against the result and did something else.', {
    invocation,
    reason: optional(code('Why, as a code from the list the deployment declares, such as wrong-tone; never a sentence.')),
    changed: changed('How far what was done instead is from the result, 0 the same to 1 nothing in common.'),
    dwellMs,
    actor,
  }),
  'result.abandoned': event('required', 'A person left the result without deciding on it.', {
    invocation,
    cause: Type.Enum(['dismissed', 'navigated', 'stopped', 'timed-out', 'worked-around'], { description: 'How it was left: closed, moved away from, generation stopped, run out of time, or the work done another way.' }),
  }),
  'decision.withdrawn': event('required', 'A person took back every earlier decision on the result: an undo.', { invocation, actor }),
  'result.rechecked': event('required', 'Some time after acceptance, the host measured how much of the result is still there.', {
    invocation,
    kept: share('The share of the accepted result that survived, 0 nothing to 1 all of it.'),
    afterDays: count('Days from the acceptance to this check.', 3_660),
  }),
  'truth.established': event('required', 'It became known what would have been right.', {
    invocation,
    aiRight: flag('Whether the result was right.'),
    firstRight: optional(flag('Whether the person was right before seeing the result.')),
    finalRight: optional(flag('Whether what the person did in the end was right.')),
    sampledWith: optional(Type.Number({ exclusiveMinimum: 0, maximum: 1, description: 'With which probability this case was picked for the audit; leave out where every case is checked.' })),
  }),
  'task.completed': event('required', 'A unit of work was finished, with the AI or without; the latest report of a task wins.', {
    task: id('The unit of work, under an id of the host, unique for the person within the deployment.'),
    taskKind,
    aided: optional(flag('Whether the AI was used, as far as the host knows; counts only where no invocation names the task.')),
    durationMs: optional(milliseconds('Milliseconds of work on the task.')),
  }),
  'queue.filled': event('forbidden', 'How much work waits for a person at this moment.', {
    taskKind,
    items: count('How many units of work are waiting.', TOTAL),
  }),
  'feed.counted': event('forbidden', 'The control total of the system of record, to check the events against.', {
    kind: Type.Enum(['tasks', 'invocations'], { description: 'What was counted: completed tasks or invocations.' }),
    from,
    to,
    count: count('How many there were in the span.', TOTAL),
  }),
  'feedback.given': event('required', 'A person said what they think of a result, or of the system as a whole.', {
    invocation: optional(invocation),
    score: Type.Number({ minimum: -1, maximum: 1, description: 'From -1, bad, to 1, good; thumbs are -1 and 1.' }),
    comment: optional(Type.String({ minLength: 1, maxLength: 2_000, description: 'What the person wrote; refused unless the deployment allows comments.' })),
  }),
  'outcome.measured': event('forbidden', 'The operational result the AI is there for, over a span.', {
    outcome: code('Which outcome, as declared for the deployment, such as days-to-decision.'),
    from,
    to,
    value: measured('The mean over the span, in the unit the outcome is declared in.'),
    count: count('How many cases the value is the mean of.', TOTAL),
    sd: optional(Type.Number({ minimum: 0, maximum: 1e15, description: 'The standard deviation among these cases, in the same unit.' })),
    team: optional(code('The team the cases are of, as named in the roster; leave out for all.')),
    aided: optional(flag('Whether these are the cases done with the AI or those without; leave out for both together.')),
    revision: optional(count('Counts up when the same span is measured anew; the highest one holds.')),
  }),
  'model.scored': event('forbidden', 'How good the model is by its own measure, over a span.', {
    measure: code('Which measure, such as auc or exact-match.'),
    from,
    to,
    value: measured('The score over the span.'),
    count: count('How many cases were scored.', TOTAL),
  }),
  'sdk.reported': event('optional', 'A heartbeat of the SDK, with what it had to drop.', {
    queued: count('How many events wait to be sent.'),
    dropped: Type.Record(Type.String({ pattern: FORMS.code.pattern }), count('How many events were dropped for this reason.', TOTAL), {
      additionalProperties: false,
      maxProperties: 32,
      description: 'How many events were dropped since the last report, by reason; empty when none were.',
    }),
    sdk: code('The name of the SDK, such as foothold-js.'),
    version: code('The version of the SDK, such as 1.4.2.'),
  }),
} satisfies Record<string, EventDefinition>;

export type EventName = keyof typeof EVENTS;
/** The `data` of an event as the host sends it. */
export type EventData<Name extends EventName = EventName> = { [N in Name]: Static<(typeof EVENTS)[N]['data']> }[Name];

export const EVENT_NAMES = Object.keys(EVENTS) as EventName[];
