/**
 * The query shapes: what may be asked of Foothold and what it answers. Everything that checks, answers or describes a
 * question over HTTP reads them here.
 */
import Type, { type Static, type TProperties, type TSchema } from 'typebox';
import { FORMS, text } from './forms.js';

/** What a result is cut by: as its invocation says. */
export const RESULT_DIMENSIONS = ['task_kind', 'surface', 'initiative', 'model', 'release'] as const;
/** Also by the person, as the roster has them on that day, and by the day itself. */
export const FACT_DIMENSIONS = ['team', 'role', ...RESULT_DIMENSIONS, 'stage', 'handoff_week'] as const;
/** Also by the week since a person began. */
export const DIMENSIONS = [...FACT_DIMENSIONS, 'week'] as const;
export type Dimension = (typeof DIMENSIONS)[number];
/** What a figure counts or measures. */
export const UNITS = ['ratio', 'people', 'ms', 'score', 'decisions'] as const;
export type Unit = (typeof UNITS)[number];
export const GRAINS = ['day', 'week', 'month', 'all'] as const;
export type Grain = (typeof GRAINS)[number];
/** Most groups of dead letters in one answer. */
export const LETTER_GROUPS = 1_000;

const object = <Properties extends TProperties>(description: string, properties: Properties) => Type.Object(properties, { additionalProperties: false, description });
const orNull = <Schema extends TSchema>(schema: Schema) => Type.Union([schema, Type.Null()]);
const words = (description: string) => Type.String({ description });
const number = (description: string) => Type.Number({ description });
const count = (description: string) => Type.Integer({ minimum: 0, description });
const moment = (description: string) => Type.String({ format: 'date-time', description });
export const day = (description: string) => Type.String({ format: 'date', pattern: FORMS.day.pattern, description });

export const deploymentId = text('deployment', 'The id of a deployment.');

/** Beside the metric, what a question about it may say. */
export const QUESTION = {
  from: Type.Optional(day('First local day of the deployment; left out: as far as there is anything, ten years at most.')),
  to: Type.Optional(day('Last local day, included; left out: as far as there is anything.')),
  grain: Type.Optional(Type.Enum([...GRAINS], { description: 'How the range is cut into rows; which a metric has is in the catalogue. Left out: all, or its first.' })),
  by: Type.Optional(Type.Array(Type.Enum([...DIMENSIONS]), { maxItems: DIMENSIONS.length, uniqueItems: true, description: 'Dimensions to cut by, with commas between; which a metric has is in the catalogue.' })),
};

/** How an answer that can be given as CSV is wanted. */
export const FORMAT = {
  format: Type.Optional(Type.Enum(['json', 'csv'], { description: 'The form of the answer; left out: what the header Accept asks for.' })),
  locale: Type.Optional(text('locale', 'Of CSV: a BCP 47 tag such as nb-NO, for spreadsheets set to it; where its decimal separator is a comma, fields are separated by semicolons. Left out: commas and decimal points.')),
};

export const Metric = object('A metric: what it asks, how it is computed, where it may be cut, how it is misread.', {
  id: words('Its name.'),
  question: words('What it asks, in a manager’s words.'),
  formula: words('How it is computed.'),
  unit: Type.Enum([...UNITS], { description: 'Of its figures: a share from 0 to 1, a number of people, milliseconds, decisions, or a score of its own scale; a variant of another unit says so.' }),
  variants: Type.Record(Type.String(), Type.String(), { description: 'What each variant counts.' }),
  minimum: Type.Integer({ minimum: 1, description: 'Fewest people a figure is given for; an agreement may ask for more.' }),
  grains: Type.Array(Type.Enum([...GRAINS]), { description: 'How a range may be cut.' }),
  dimensions: Type.Array(Type.Enum([...DIMENSIONS]), { description: 'What it may be cut by.' }),
  watchOut: words('How it is misread.'),
  version: Type.Integer({ minimum: 1, description: 'Of the definition: with another one, figures may differ.' }),
});
export type Metric = Static<typeof Metric>;

export const AnswerRow = object('One figure with its doubt.', {
  from: day('First local day, included.'),
  to: day('Last local day, included.'),
  by: Type.Record(Type.String(), orNull(Type.String()), { description: 'The value of each dimension that was asked for; null where none was given.' }),
  variant: words('Which variant of the metric.'),
  value: orNull(number('The figure; null where the denominator is zero, or what it needs is not known yet.')),
  numerator: orNull(number('What is counted.')),
  denominator: orNull(number('What it is counted of; null for numbers of people.')),
  low: orNull(number('Lower end of the 95 % interval, clustered by person; null for counts of people, which are no sample.')),
  high: orNull(number('Upper end of the 95 % interval.')),
  people: orNull(count('Distinct people behind the denominator (behind the value, where there is none); null where the figure is hidden.')),
  suppressed: Type.Boolean({ description: 'Whether the figure is hidden: too few people are behind it, or what too few did could be told from it.' }),
});
export type AnswerRow = Static<typeof AnswerRow>;

const { from, to, variant, value, numerator, denominator, low, high, people } = AnswerRow.properties;
export const ExplainedMetric = object('A metric with an example of its figures.', {
  ...Metric.properties,
  example: object('What it comes to in a story of eight people who answer letters for half a year: of its last week where the metric is asked by day or week only. To four decimals.', {
    from, to, figures: Type.Array(object('One figure.', { variant, value, numerator, denominator, low, high, people })),
  }),
});
export type ExplainedMetric = Static<typeof ExplainedMetric>;

export const Answer = object('What a metric says of a deployment.', {
  metric: words('The name of the metric.'),
  version: Type.Integer({ minimum: 1, description: 'Of its definition.' }),
  unit: Type.Enum([...UNITS], { description: 'Of value, low and high, where the variant’s meaning names no other.' }),
  completeThrough: orNull(moment('Everything that had arrived by then is counted; null: nothing can be said yet.')),
  revisedAt: orNull(moment('When the latest event that changed a day of the range arrived; null: none did.')),
  notes: Type.Array(Type.String(), { description: 'What must be known to read the rows: what was left out, and how many.' }),
  rows: Type.Array(AnswerRow),
});
export type Answer = Static<typeof Answer>;

/** Of a deployment's registration; each may be left out or null when registering, for the default. */
const REGISTRATION = {
  timeZone: Type.String({ format: 'time-zone', pattern: FORMS.timeZone.pattern, description: 'IANA time zone whose local days are counted; never changes once registered. Default: UTC.' }),
  country: text('country', 'ISO 3166-1 alpha-2, of the working calendar. Default: none.'),
  taskKinds: Type.Array(text('code', 'A kind of task.'), { minItems: 1, maxItems: 200, uniqueItems: true, description: 'Kinds of task for which the AI could be used. Default: every kind.' }),
  pilotStart: day('First day of the pilot. Default: none.'),
  handoff: day('Day of the handoff, not before the pilot’s start; a sandbox has none. Default: none.'),
  target: Type.Number({ exclusiveMinimum: 0, maximum: 1, description: 'Share of people who should use it. Default: 0.4.' }),
  sandbox: Type.Boolean({ description: 'For trying things out: small groups are shown, it cannot be handed off. Default: false.' }),
};

export const NewDeployment = object('A deployment to be registered.', {
  deployment: deploymentId,
  timeZone: Type.Optional(orNull(REGISTRATION.timeZone)),
  country: Type.Optional(orNull(REGISTRATION.country)),
  taskKinds: Type.Optional(orNull(REGISTRATION.taskKinds)),
  pilotStart: Type.Optional(orNull(REGISTRATION.pilotStart)),
  handoff: Type.Optional(orNull(REGISTRATION.handoff)),
  target: Type.Optional(orNull(REGISTRATION.target)),
  sandbox: Type.Optional(orNull(REGISTRATION.sandbox)),
});
export type NewDeployment = Static<typeof NewDeployment>;

const DEPLOYMENT = {
  deployment: deploymentId,
  tenant: words('The organisation it is of.'),
  version: Type.Integer({ minimum: 1, description: 'Counts the facts that were recorded about it.' }),
  timeZone: words('IANA time zone whose local days are counted.'),
  country: orNull(REGISTRATION.country),
  taskKinds: orNull(REGISTRATION.taskKinds),
  pilotStart: orNull(REGISTRATION.pilotStart),
  handoff: orNull(REGISTRATION.handoff),
  target: REGISTRATION.target,
  sandbox: REGISTRATION.sandbox,
};

const CLOSURE = {
  from: day('First local day.'),
  to: day('Last local day, included.'),
};
const Closure = object('Local days on which nobody could use it.', { ...CLOSURE, reason: orNull(text('code', 'Why.')) });
const AGREEMENT = {
  people: Type.Integer({ minimum: 5, maximum: 1_000, description: 'Fewest people that a figure is told of.' }),
  dwellTimes: Type.Boolean({ description: 'Whether it may be told how many decisions were hasty.' }),
};
const STANDING = { ...DEPLOYMENT, agreement: orNull(object('What was agreed with those who stand for the people; null: nothing, and figures of fewer than 5 are hidden.', AGREEMENT)), closures: Type.Array(Closure, { description: 'Days on which nobody could use it, by their first day.' }) };

export const DeploymentView = object('A deployment as it stands.', STANDING);
export type DeploymentView = Static<typeof DeploymentView>;

export const RegisteredDeployment = object('A deployment as it is registered now.', {
  ...DEPLOYMENT,
  new: Type.Boolean({ description: 'Whether this request registered it; false: it was registered the same before.' }),
  redriven: count('Events that had been quarantined for want of this registration and are stored now; where very many wait, the rest follows.'),
});
export type RegisteredDeployment = Static<typeof RegisteredDeployment>;

export const DecidedDay = object('A day that is decided.', { day: day('The local day.') });

export const NewAgreement = object('What was agreed with those who stand for the people.', { people: AGREEMENT.people, dwellTimes: Type.Optional(orNull(Type.Boolean({ description: 'Whether it may be told how many decisions were hasty. Default: false.' }))) });

export const NewClosure = object('Local days on which nobody can use it.', { ...CLOSURE, reason: Type.Optional(orNull(text('code', 'Why, such as public-holiday.'))) });

export const DecidedDeployment = object('A deployment as it stands after a decision.', {
  ...STANDING,
  changed: Type.Boolean({ description: 'Whether this request changed anything; false: it stood already.' }),
});
export type DecidedDeployment = Static<typeof DecidedDeployment>;

/** Most periods in one request. */
const ROSTER_PERIODS = 100_000;

export const NewRoster = object('Everything about the people it names: their periods are replaced.', {
  complete: Type.Optional(orNull(Type.Boolean({ description: 'It names everybody: who is not in it is taken off. Default: false.' }))),
  periods: Type.Array(object('A period in which a person is enabled, or on leave.', {
    person: text('person', 'The person as their events name them; turned into the same pseudonym, and never stored.'),
    team: Type.Optional(orNull(text('code', 'The team.'))),
    role: Type.Optional(orNull(text('code', 'The role.'))),
    from: day('First local day.'),
    to: Type.Optional(orNull(day('Last local day, included; left out: until further notice.'))),
    leave: Type.Optional(orNull(Type.Boolean({ description: 'Whether it is a leave, which lies over the periods in which the person is enabled. Default: false.' }))),
  }), { minItems: 1, maxItems: ROSTER_PERIODS, description: 'Periods of one kind, of one person, share no day.' }),
});

const share = (description: string) => orNull(Type.Number({ minimum: 0, maximum: 1, description }));

export const ImportedRoster = object('What an import did.', {
  deployment: deploymentId,
  version: Type.Integer({ minimum: 1, description: 'Of the deployment now: one more for each person who was changed.' }),
  people: count('People on the roster now.'),
  added: count('People who were not on it.'),
  changed: count('People whose periods are others now.'),
  unchanged: count('People whose periods stood already.'),
  removed: count('People who were taken off.'),
  matched: object('How far roster and events name the same people; null: of too few to say.', {
    roster: share('Share of the roster’s people whom any event names.'),
    active: share('Share of the people active in the last 28 days who are on the roster.'),
  }),
});
export type ImportedRoster = Static<typeof ImportedRoster>;

export const LetterGroup = object('Events that were refused or kept for later for one reason.', {
  id: Type.String({ pattern: '^[0-9]+$', description: 'Of the latest of them.' }),
  kind: Type.Enum(['rejected', 'quarantined'], { description: 'Can never become valid, or may.' }),
  field: words('What is wrong.'),
  reason: words('What is wrong with it; never the value.'),
  fix: words('What to do.'),
  count: Type.Integer({ minimum: 1, description: 'How many.' }),
  firstSeen: moment('When the first of them arrived.'),
  lastSeen: moment('When the latest of them arrived.'),
});
export type LetterGroup = Static<typeof LetterGroup>;

export const LETTERS = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: LETTER_GROUPS, default: 100, description: 'Most groups to give; the header Link says where the next begin.' })),
  before: Type.Optional(Type.String({ pattern: '^[1-9][0-9]{0,17}$', description: 'Give those whose latest letter is older than this id.' })),
};

/** RFC 9457. */
export const ProblemShape = Type.Object({
  type: words('Always about:blank: title says what kind it is.'),
  title: words('What kind of problem, the same each time.'),
  status: Type.Integer({ minimum: 400, maximum: 599, description: 'The HTTP status.' }),
  detail: Type.Optional(words('What exactly is wrong; never repeats personal data or secrets.')),
  field: Type.Optional(words('The parameter, header or field of the body it is about.')),
  fix: Type.Optional(words('What to do.')),
}, { description: 'What went wrong (RFC 9457).' });

export const HealthReport = object('What was looked at, and whether all is well.', {
  ok: Type.Boolean({ description: 'Whether every check is.' }),
  checks: Type.Array(object('One thing that was looked at.', { name: words('What.'), ok: Type.Boolean({ description: 'Whether it is well.' }), detail: words('What was seen.') })),
});
