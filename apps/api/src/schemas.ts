/** The shapes that /openapi.json gives a name, and an event as an example. */
import { Answer, AnswerRow, DecidedDay, DecidedDeployment, DeploymentView, ExplainedMetric, ImportedRoster, LetterGroup, Metric, NewClosure, NewDeployment, NewRoster, RegisteredDeployment, type EventData } from '@foothold/contract';
import { type TSchema } from 'typebox';

export const SCHEMAS: [name: string, schema: TSchema][] = [
  ['Metric', Metric], ['ExplainedMetric', ExplainedMetric], ['Answer', Answer], ['AnswerRow', AnswerRow], ['Deployment', DeploymentView], ['NewDeployment', NewDeployment], ['RegisteredDeployment', RegisteredDeployment],
  ['DecidedDay', DecidedDay], ['NewClosure', NewClosure], ['DecidedDeployment', DecidedDeployment], ['NewRoster', NewRoster], ['ImportedRoster', ImportedRoster], ['DeadLetters', LetterGroup],
];

/** A schema as JSON, in which those that have a name are named (but itself where `self` is false). */
export function named(schema: unknown, self = true): unknown {
  const name = self ? SCHEMAS.find(([, one]) => one === schema)?.[0] : undefined;
  if (name !== undefined) return { $ref: `#/components/schemas/${name}` };
  if (Array.isArray(schema)) return schema.map((one) => named(one));
  if (typeof schema !== 'object' || schema === null) return schema;
  return Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, named(value)]));
}

export const EVENT_EXAMPLE = {
  specversion: '1.0', id: '019b8f6e-0c51-7cc2-8d0f-3a4b5c6d7e8f', source: 'urn:acme:erp', type: 'foothold.result.accepted.v1', subject: 'jane', time: '2026-01-05T09:30:00.123Z', deployment: 'triage',
  data: { invocation: '4711', changed: 0.12, dwellMs: 8400 } satisfies EventData<'result.accepted'>,
};
