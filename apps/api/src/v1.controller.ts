/**
 * The routes under /v1. What arrives: a request that was let in and checked. What leaves: what Answering gives as JSON or
 * CSV. Next on the path is whoever reads it: the last of the eight stops.
 */
import { agree, CATALOGUE, close, decideHandoff, explained, readRoster, startPilot, understand, understandRegistration, understandRoster, type Change, type Deployment, type Viewer } from '@foothold/adoption';
import { answerTable, catalogueTable, deploymentTable, letterTable, WrongInput, type Answer, type DecidedDeployment, type DeploymentView, type ExplainedMetric, type ImportedRoster, type LetterGroup, type Metric, type RegisteredDeployment } from '@foothold/contract';
import { Controller, Inject } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { type Given } from './answering.js';
import { Asked, Serves, type AskedBy } from './asked.js';
import { Decide, ImportRoster, RegisterDeployment } from './commands.js';
import { OPERATIONS } from './operations.js';
import { AskMetric, FindDeployment, ListDeadLetters, ListDeployments } from './questions.js';

type AskedFor<Id extends keyof typeof OPERATIONS> = AskedBy<(typeof OPERATIONS)[Id]>;

@Controller()
export class V1Controller {
  constructor(
    @Inject(QueryBus) private readonly queries: QueryBus,
    @Inject(CommandBus) private readonly commands: CommandBus,
  ) {}

  @Serves(OPERATIONS.listMetrics)
  listMetrics(): Given<Metric[]> {
    return { body: CATALOGUE.map((metric) => ({ ...metric, grains: [...metric.grains], dimensions: [...metric.dimensions] })), csv: { table: catalogueTable, file: 'metrics' } };
  }

  @Serves(OPERATIONS.explainMetric)
  explainMetric(@Asked() { parameters }: AskedFor<'explainMetric'>): Given<ExplainedMetric> {
    return { body: explained(CATALOGUE.find(({ id }) => id === parameters.metric)!) as ExplainedMetric };
  }

  @Serves(OPERATIONS.listDeployments)
  async listDeployments(@Asked() { viewer }: AskedFor<'listDeployments'>): Promise<Given<DeploymentView[]>> {
    const found = await this.queries.execute(new ListDeployments(viewer));
    return { body: found.map((one) => viewOf(viewer.tenant, one)), csv: { table: deploymentTable, file: 'deployments' } };
  }

  @Serves(OPERATIONS.registerDeployment)
  async registerDeployment(@Asked() { viewer, body: { deployment, ...wanted } }: AskedFor<'registerDeployment'>): Promise<Given<RegisteredDeployment>> {
    const { version, isNew, redriven, registration } = await this.commands.execute(new RegisterDeployment(viewer, deployment, understandRegistration(wanted)));
    return { status: isNew ? 201 : 200, headers: { location: `/v1/deployments/${deployment}` }, body: { deployment, tenant: viewer.tenant, version, new: isNew, redriven, ...registration } };
  }

  @Serves(OPERATIONS.getDeployment)
  async getDeployment(@Asked() { viewer, parameters }: AskedFor<'getDeployment'>): Promise<Given<DeploymentView>> {
    return { body: viewOf(viewer.tenant, await this.queries.execute(new FindDeployment(viewer, parameters.deployment))) };
  }

  @Serves(OPERATIONS.startPilot)
  startPilot(@Asked() asked: AskedFor<'startPilot'>): Promise<Given<DecidedDeployment>> {
    return this.decide(asked, (stands) => startPilot(stands, asked.body.day));
  }

  @Serves(OPERATIONS.decideHandoff)
  decideHandoff(@Asked() asked: AskedFor<'decideHandoff'>): Promise<Given<DecidedDeployment>> {
    return this.decide(asked, (stands) => decideHandoff(stands, asked.body.day));
  }

  @Serves(OPERATIONS.makeAgreement)
  makeAgreement(@Asked() asked: AskedFor<'makeAgreement'>): Promise<Given<DecidedDeployment>> {
    const { people, dwellTimes } = asked.body;
    return this.decide(asked, (stands) => agree(stands, { people, dwellTimes: dwellTimes ?? false }));
  }

  @Serves(OPERATIONS.declareClosure)
  declareClosure(@Asked() asked: AskedFor<'declareClosure'>): Promise<Given<DecidedDeployment>> {
    const { from, to, reason = null } = asked.body;
    return this.decide(asked, (stands) => close(stands, { from, to, reason }));
  }

  private async decide({ viewer, parameters, expected }: { viewer: Viewer; parameters: { deployment: string }; expected: number | undefined }, decision: (stands: Deployment) => Change | null): Promise<Given<DecidedDeployment>> {
    const { deployment, changed } = await this.commands.execute(new Decide(viewer, parameters.deployment, expected, decision));
    return { body: { ...viewOf(viewer.tenant, deployment), changed } };
  }

  @Serves(OPERATIONS.importRoster)
  async importRoster(@Asked() { viewer, parameters: { deployment }, query, body, file, expected }: AskedFor<'importRoster'>): Promise<Given<ImportedRoster>> {
    if (!file && query.complete !== undefined) throw new WrongInput('complete', 'of JSON it stands in the body', 'send it there');
    const people = file ? readRoster(file) : understandRoster(body.periods);
    const complete = file ? query.complete === 'true' : (body.complete ?? false);
    return { body: { deployment, ...(await this.commands.execute(new ImportRoster(viewer, deployment, expected, people, complete))) } };
  }

  @Serves(OPERATIONS.askMetric)
  async askMetric(@Asked() { viewer, parameters, query }: AskedFor<'askMetric'>): Promise<Given<Answer>> {
    const question = understand({ metric: parameters.metric, grain: query.grain, from: query.from, to: query.to, by: query.by?.join(',') });
    const { stamp, answer } = await this.queries.execute(new AskMetric(viewer, parameters.deployment, question));
    return { stamp, body: answer, csv: { table: (found) => answerTable(found, question.by), file: `${parameters.deployment}-${parameters.metric}` } };
  }

  @Serves(OPERATIONS.listDeadLetters)
  async listDeadLetters(@Asked() { viewer, query }: AskedFor<'listDeadLetters'>): Promise<Given<LetterGroup[]>> {
    const { limit = 100, before, ...form } = query;
    const letters = await this.queries.execute(new ListDeadLetters(viewer, limit, before ?? null));
    const next: Record<string, string> = letters.length < limit ? {} : { link: `</v1/dead-letters?${new URLSearchParams({ limit: String(limit), before: letters.at(-1)!.id, ...form })}>; rel="next"` };
    return { headers: next, body: letters, csv: { table: letterTable, file: 'dead-letters' } };
  }
}

const viewOf = (tenant: string, { id, version, registration, closures, agreement }: Deployment): DeploymentView => ({ deployment: id, tenant, version, ...registration, agreement, closures: [...closures] });
