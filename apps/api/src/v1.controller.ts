/**
 * The routes under /v1. What arrives: a request that was let in and checked. What leaves: what Answering gives as JSON or
 * CSV. Next on the path is whoever reads it: the last of the eight stops.
 */
import { CATALOGUE, understand, understandRegistration, type Deployment } from '@foothold/adoption';
import { type Answer, type DeploymentView, type LetterGroup, type Metric, type RegisteredDeployment } from '@foothold/contract';
import { Controller, Inject } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { type Given } from './answering.js';
import { Asked, Serves, type AskedBy } from './asked.js';
import { RegisterDeployment } from './commands.js';
import { OPERATIONS } from './operations.js';
import { AskMetric, FindDeployment, ListDeadLetters, ListDeployments } from './questions.js';
import { answerTable, catalogueTable, deploymentTable, letterTable } from './tables.js';

type AskedFor<Id extends keyof typeof OPERATIONS> = AskedBy<(typeof OPERATIONS)[Id]>;

@Controller()
export class V1Controller {
  constructor(
    @Inject(QueryBus) private readonly queries: QueryBus,
    @Inject(CommandBus) private readonly commands: CommandBus,
  ) {}

  @Serves(OPERATIONS.listMetrics)
  listMetrics(): Given<Metric[]> {
    return { body: CATALOGUE.map((metric) => ({ ...metric, grains: [...metric.grains], dimensions: [...metric.dimensions] })), table: catalogueTable };
  }

  @Serves(OPERATIONS.listDeployments)
  async listDeployments(@Asked() { viewer }: AskedFor<'listDeployments'>): Promise<Given<DeploymentView[]>> {
    const found = await this.queries.execute(new ListDeployments(viewer));
    return { body: found.map((one) => viewOf(viewer.tenant, one)), table: deploymentTable };
  }

  @Serves(OPERATIONS.registerDeployment)
  async registerDeployment(@Asked() { viewer, body: { deployment, ...wanted } }: AskedFor<'registerDeployment'>): Promise<Given<RegisteredDeployment>> {
    const registration = understandRegistration(wanted);
    const { version, isNew, redriven } = await this.commands.execute(new RegisterDeployment(viewer, deployment, registration));
    return { status: isNew ? 201 : 200, headers: { location: `/v1/deployments/${deployment}` }, body: { deployment, tenant: viewer.tenant, version, new: isNew, redriven, ...registration } };
  }

  @Serves(OPERATIONS.getDeployment)
  async getDeployment(@Asked() { viewer, parameters }: AskedFor<'getDeployment'>): Promise<Given<DeploymentView>> {
    return { body: viewOf(viewer.tenant, await this.queries.execute(new FindDeployment(viewer, parameters.deployment))) };
  }

  @Serves(OPERATIONS.askMetric)
  async askMetric(@Asked() { viewer, parameters, query }: AskedFor<'askMetric'>): Promise<Given<Answer>> {
    const question = understand({ metric: parameters.metric, grain: query.grain, from: query.from, to: query.to, by: query.by?.join(',') });
    const { stamp, answer } = await this.queries.execute(new AskMetric(viewer, parameters.deployment, question));
    return { stamp, body: answer, table: (found) => answerTable(found, question.by) };
  }

  @Serves(OPERATIONS.listDeadLetters)
  async listDeadLetters(@Asked() { viewer, query }: AskedFor<'listDeadLetters'>): Promise<Given<LetterGroup[]>> {
    const { limit = 100, before, format } = query;
    const letters = await this.queries.execute(new ListDeadLetters(viewer, limit, before ?? null));
    const next: Record<string, string> = letters.length < limit ? {} : { link: `</v1/dead-letters?limit=${limit}&before=${letters.at(-1)!.id}${format ? `&format=${format}` : ''}>; rel="next"` };
    return { headers: next, body: letters, table: letterTable };
  }
}

const viewOf = (tenant: string, { id, version, registration }: Deployment): DeploymentView => ({ deployment: id, tenant, version, ...registration });
