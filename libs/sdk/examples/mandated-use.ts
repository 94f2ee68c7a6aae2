/** A rule obliges every underwriter to look at the risk score before deciding. Being obliged to look is not trusting it. */
import { type Foothold } from '@foothold/sdk';

export interface Application {
  id: string;
  /** The fields of the form, null where they were left empty. */
  fields: Record<string, string | null>;
}

export interface Score {
  advice: 'accept' | 'decline';
  confidence: number;
  model: string;
}

export async function underwrite(foothold: Foothold, underwriter: string, application: Application, score: () => Promise<Score>, decide: (score: Score) => Promise<'accept' | 'decline'>): Promise<void> {
  const desk = foothold.as(underwriter);
  const values = Object.values(application.fields);
  const scoring = desk.invocation({
    task: application.id,
    taskKind: 'underwriting',
    surface: 'in-workflow',
    initiative: 'mandated',
    release: '2026.2',
    // How good the input was, counted; never the input itself.
    input: { profile: 'web-form', fields: values.length, missing: values.filter((value) => value === null).length, unknown: 0, malformed: 0 },
  });

  const result = await score();
  scoring.shown({ confidence: result.confidence, model: result.model });

  const decision = await decide(result);
  if (decision === result.advice) scoring.accepted();
  else scoring.overridden({ reason: 'local-knowledge' });
  desk.task({ task: application.id, taskKind: 'underwriting', aided: true });
}

/** Whether it was right shows a year later; the outcome is what the score is there for, its AUC only how it means to get there. */
export function yearClosed(foothold: Foothold, year: number, losses: { ratio: number; cases: number }, auc: number): void {
  const [from, to] = [`${year}-01-01`, `${year}-12-31`];
  foothold.outcome({ outcome: 'loss-ratio', from, to, value: losses.ratio, count: losses.cases });
  foothold.modelScore({ measure: 'auc', from, to, value: auc, count: losses.cases });
}
