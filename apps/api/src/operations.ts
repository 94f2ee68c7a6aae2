/**
 * Everything that can be asked of this process, declared once: the routes are made from it, requests are checked against
 * it, and /openapi.json describes it.
 */
import { CATALOGUE, explained } from '@foothold/adoption';
import {
  Answer, DecidedDay, DecidedDeployment, deploymentId, DeploymentView, ExplainedMetric, FORMAT, ImportedRoster, LetterGroup, LETTERS, Metric, NewAgreement, NewClosure, NewDeployment, NewRoster, QUESTION, RegisteredDeployment,
} from '@foothold/contract';
import { type KeyKind } from '@foothold/platform';
import Type, { type TObject, type TSchema } from 'typebox';

export interface Operation<Path extends TObject = TObject, Query extends TObject = TObject, Body extends TObject | null = TObject | null> {
  id: string;
  method: 'GET' | 'POST' | 'PUT';
  /** Parts in braces are parameters. */
  path: string;
  tag: string;
  summary: string;
  description: string;
  /** Kinds of key that may ask it. */
  keys: readonly KeyKind[];
  parameters: Path;
  query: Query;
  body: Body;
  answer: TSchema;
  /** The body may be a file as well, of this media type; the handler reads it. */
  file?: { type: string; description: string; example: string };
  /** The header If-Match may say which version of the deployment it is for. */
  conditional?: true;
  /** Of parameters, of the body and of the answer. */
  examples: { parameters?: Record<string, string>; query?: Record<string, unknown>; body?: object; answer: unknown };
  /** It can be given as CSV too. */
  csv: boolean;
  /** The statuses of what it does, and the problems that only it has. */
  statuses: Record<number, string>;
}

/** Under which a handler carries its operation. */
export const OPERATION = Symbol('Operation');

const shape = <Properties extends Record<string, TSchema>>(properties: Properties) => Type.Object(properties, { additionalProperties: false });
const NOTHING = shape({});
const declare = <Path extends TObject, Query extends TObject, Body extends TObject | null>(operation: Operation<Path, Query, Body>) => operation;
/** Of the body that may be a file. */
export const CSV = 'text/csv';
/** The one whose body may be larger than others: see api.module.ts. */
export const ROSTER_PATH = '/v1/deployments/{deployment}/roster';
const ofDeployment = { deployment: deploymentId };
const ofMetric = { metric: Type.Enum(CATALOGUE.map(({ id }) => id), { description: 'The name of a metric in the catalogue.' }) };
const ACCEPTANCE = CATALOGUE.find(({ id }) => id === 'trust.acceptance')!;
const FOUND = 'What was asked for.';
const UNKNOWN = 'The tenant of the key has no such deployment, or the key is not for it.';
const DECISION = { 200: 'What stands now.', 404: UNKNOWN, 409: 'It contradicts what was decided before.', 412: 'The deployment is at another version than If-Match says.' };

const TRIAGE_AS_WRITTEN = { timeZone: 'Europe/Oslo', country: 'NO', taskKinds: ['letter', 'triage'], pilotStart: '2026-01-05', handoff: '2026-03-02', target: 0.6 };
const REGISTERED = { deployment: 'triage', tenant: 'acme', version: 1, ...TRIAGE_AS_WRITTEN, sandbox: false };
const TRIAGE = { ...REGISTERED, agreement: null, closures: [{ from: '2026-12-24', to: '2026-12-26', reason: 'christmas' }] };
const ANSWER = {
  metric: 'trust.acceptance', version: 1, unit: 'ratio', completeThrough: '2026-03-30T08:00:00.000Z', revisedAt: '2026-03-30T07:58:12.412Z', notes: [],
  rows: [{ from: '2026-01-05', to: '2026-01-11', by: { task_kind: 'letter' }, variant: 'shown', value: 0.625, numerator: 25, denominator: 40, low: 0.52, high: 0.73, people: 9, suppressed: false }],
};
const LETTERS_OF_ONE_REASON = {
  id: '4710', kind: 'rejected', field: 'data.surface', reason: 'a string of 4 characters: none of the values there are', fix: 'send one of in-workflow, side-tool, export', count: 12,
  firstSeen: '2026-03-02T08:00:00.000Z', lastSeen: '2026-03-02T09:12:44.120Z',
};

export const OPERATIONS = {
  listMetrics: declare({
    id: 'listMetrics', method: 'GET', path: '/v1/metrics', tag: 'Questions', keys: ['read'], csv: true,
    summary: 'The catalogue of metrics',
    description: 'Every metric: what it asks, how it is computed, where it may be cut, how it is misread. As CSV, a row a variant.',
    parameters: NOTHING, query: shape(FORMAT), body: null, answer: Type.Array(Metric), statuses: { 200: FOUND },
    examples: { answer: [ACCEPTANCE] },
  }),
  explainMetric: declare({
    id: 'explainMetric', method: 'GET', path: '/v1/metrics/{metric}', tag: 'Questions', keys: ['read'], csv: false,
    summary: 'What a metric means',
    description: 'What it asks, how it is computed and misread, and what it comes to in an example. The same as `foothold metrics --explain METRIC --json`.',
    parameters: shape(ofMetric), query: NOTHING, body: null, answer: ExplainedMetric, statuses: { 200: FOUND },
    examples: { parameters: { metric: ACCEPTANCE.id }, answer: explained(ACCEPTANCE) },
  }),
  listDeployments: declare({
    id: 'listDeployments', method: 'GET', path: '/v1/deployments', tag: 'Deployments', keys: ['read'], csv: true,
    summary: 'The deployments that are registered',
    description: 'Those of the key’s tenant, and of them only those the key is for, by id.',
    parameters: NOTHING, query: shape(FORMAT), body: null, answer: Type.Array(DeploymentView), statuses: { 200: FOUND },
    examples: { answer: [TRIAGE] },
  }),
  registerDeployment: declare({
    id: 'registerDeployment', method: 'POST', path: '/v1/deployments', tag: 'Deployments', keys: ['write'], csv: false,
    summary: 'Register a deployment',
    description: 'Makes an AI system known, so that its events are counted. Whoever may send its events may register it: this takes a write key. Its time zone never changes afterwards. Registering the same again changes nothing.',
    parameters: NOTHING, query: NOTHING, body: NewDeployment, answer: RegisteredDeployment,
    examples: { body: { deployment: 'triage', ...TRIAGE_AS_WRITTEN }, answer: { ...REGISTERED, new: true, redriven: 0 } },
    statuses: { 200: 'It was registered the same before.', 201: 'It is registered now.', 409: 'It is registered otherwise.' },
  }),
  getDeployment: declare({
    id: 'getDeployment', method: 'GET', path: '/v1/deployments/{deployment}', tag: 'Deployments', keys: ['read'], csv: false,
    summary: 'A deployment', description: 'What is registered of it.',
    parameters: shape(ofDeployment), query: NOTHING, body: null, answer: DeploymentView, statuses: { 200: FOUND, 404: UNKNOWN },
    examples: { parameters: { deployment: 'triage' }, answer: TRIAGE },
  }),
  startPilot: declare({
    id: 'startPilot', method: 'PUT', path: '/v1/deployments/{deployment}/pilot', tag: 'Deployments', keys: ['write'], csv: false, conditional: true,
    summary: 'Say when the pilot started', description: 'A fact in the deployment’s stream; the same day again adds none.',
    parameters: shape(ofDeployment), query: NOTHING, body: DecidedDay, answer: DecidedDeployment, statuses: DECISION,
    examples: { parameters: { deployment: 'triage' }, body: { day: '2026-01-05' }, answer: { ...TRIAGE, changed: true } },
  }),
  decideHandoff: declare({
    id: 'decideHandoff', method: 'PUT', path: '/v1/deployments/{deployment}/handoff', tag: 'Deployments', keys: ['write'], csv: false, conditional: true,
    summary: 'Say when it is handed off', description: 'The day from which weeks are counted, not before the pilot’s start; a sandbox has none. A fact in the deployment’s stream; the same day again adds none.',
    parameters: shape(ofDeployment), query: NOTHING, body: DecidedDay, answer: DecidedDeployment, statuses: DECISION,
    examples: { parameters: { deployment: 'triage' }, body: { day: '2026-03-02' }, answer: { ...TRIAGE, changed: true } },
  }),
  makeAgreement: declare({
    id: 'makeAgreement', method: 'PUT', path: '/v1/deployments/{deployment}/agreement', tag: 'Deployments', keys: ['write'], csv: false, conditional: true,
    summary: 'Hold what was agreed about the people', description: 'Of how many people a figure must be, 5 at least, and whether hasty decisions may be counted; it takes the place of what was agreed before. A sandbox has none. A fact in the deployment’s stream; the same again adds none.',
    parameters: shape(ofDeployment), query: NOTHING, body: NewAgreement, answer: DecidedDeployment, statuses: DECISION,
    examples: { parameters: { deployment: 'triage' }, body: { people: 8, dwellTimes: false }, answer: { ...TRIAGE, agreement: { people: 8, dwellTimes: false }, changed: true } },
  }),
  declareClosure: declare({
    id: 'declareClosure', method: 'POST', path: '/v1/deployments/{deployment}/closures', tag: 'Deployments', keys: ['write'], csv: false, conditional: true,
    summary: 'Say on which days nobody can use it', description: 'A fact in the deployment’s stream; the same closure again adds none. Closures share no day. To take one back: `foothold deployment close --withdraw`.',
    parameters: shape(ofDeployment), query: NOTHING, body: NewClosure, answer: DecidedDeployment, statuses: DECISION,
    examples: { parameters: { deployment: 'triage' }, body: { from: '2026-12-24', to: '2026-12-26', reason: 'christmas' }, answer: { ...TRIAGE, changed: true } },
  }),
  importRoster: declare({
    id: 'importRoster', method: 'PUT', path: ROSTER_PATH, tag: 'Deployments', keys: ['write'], csv: false, conditional: true,
    summary: 'Say who is enabled', description: 'It says everything about the people it names; people it does not name keep their periods, or, where it is complete, are taken off. A fact a person whose periods change. The same as `foothold roster import`, whose file is taken as it is (text/csv); its faults are told line by line.',
    parameters: shape(ofDeployment), query: shape({ complete: Type.Optional(Type.Enum(['true', 'false'], { description: 'With a file: it names everybody, and who is not in it is taken off. In JSON it stands in the body. Left out: false.' })) }),
    body: NewRoster, answer: ImportedRoster,
    file: {
      type: CSV, description: 'A line a period: person,team,role,from,to,leave, in any order; all but person and from may be missing. Commas or semicolons, UTF-8.',
      example: 'person,team,role,from,to,leave\r\njane,desk,nurse,2026-01-05,,\r\njane,,,2026-07-01,2026-07-21,yes\r\n',
    },
    statuses: { 200: 'Imported, or it stood already.', 404: UNKNOWN, 412: DECISION[412] },
    examples: {
      parameters: { deployment: 'triage' },
      body: { complete: false, periods: [{ person: 'jane', team: 'desk', role: 'nurse', from: '2026-01-05' }, { person: 'jane', from: '2026-07-01', to: '2026-07-21', leave: true }] },
      answer: { deployment: 'triage', version: 2, people: 1, added: 1, changed: 0, unchanged: 0, removed: 0, matched: { roster: null, active: null } },
    },
  }),
  askMetric: declare({
    id: 'askMetric', method: 'GET', path: '/v1/deployments/{deployment}/metrics/{metric}', tag: 'Questions', keys: ['read'], csv: true,
    summary: 'What a metric says of a deployment',
    description: 'Figures with numerator, denominator, interval and the people behind them. The same as `foothold metrics DEPLOYMENT METRIC --json`, as CSV as with `--csv`.',
    parameters: shape({ ...ofDeployment, ...ofMetric }),
    query: shape({ ...QUESTION, ...FORMAT }), body: null, answer: Answer, statuses: { 200: FOUND, 404: UNKNOWN },
    examples: { parameters: { deployment: 'triage', metric: 'trust.acceptance' }, query: { grain: 'week' }, answer: ANSWER },
  }),
  listDeadLetters: declare({
    id: 'listDeadLetters', method: 'GET', path: '/v1/dead-letters', tag: 'Events', keys: ['read'], csv: true,
    summary: 'Events that were refused or kept for later',
    description: 'Grouped by what is wrong with them, the latest first; never what they held. Where there may be more, the header Link names them.',
    parameters: NOTHING, query: shape({ ...LETTERS, ...FORMAT }), body: null, answer: Type.Array(LetterGroup), statuses: { 200: FOUND },
    examples: { query: { limit: 100 }, answer: [LETTERS_OF_ONE_REASON] },
  }),
};
