/** What can be asked, on the query bus: each question carries who asks, and what they may not see is not there for them. */
import { ask, deploymentOf, deploymentsOf, type Deployment, type Prepared, type Question, type Viewer } from '@foothold/adoption';
import { type LetterGroup } from '@foothold/contract';
import { deadLetters, type Log } from '@foothold/event-log';
import { Inject } from '@nestjs/common';
import { Query, QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { LOG } from './log.js';

export class ListDeployments extends Query<Deployment[]> {
  constructor(readonly viewer: Viewer) {
    super();
  }
}

export class FindDeployment extends Query<Deployment> {
  constructor(readonly viewer: Viewer, readonly deployment: string) {
    super();
  }
}

export class AskMetric extends Query<Prepared> {
  constructor(readonly viewer: Viewer, readonly deployment: string, readonly question: Question) {
    super();
  }
}

export class ListDeadLetters extends Query<LetterGroup[]> {
  constructor(readonly viewer: Viewer, readonly limit: number, readonly before: string | null) {
    super();
  }
}

@QueryHandler(ListDeployments)
export class ListDeploymentsHandler implements IQueryHandler<ListDeployments> {
  constructor(@Inject(LOG) private readonly log: Log) {}

  execute({ viewer }: ListDeployments): Promise<Deployment[]> {
    return deploymentsOf(this.log, viewer);
  }
}

@QueryHandler(FindDeployment)
export class FindDeploymentHandler implements IQueryHandler<FindDeployment> {
  constructor(@Inject(LOG) private readonly log: Log) {}

  execute({ viewer, deployment }: FindDeployment): Promise<Deployment> {
    return deploymentOf(this.log, viewer, deployment);
  }
}

@QueryHandler(AskMetric)
export class AskMetricHandler implements IQueryHandler<AskMetric> {
  constructor(@Inject(LOG) private readonly log: Log) {}

  execute({ viewer, deployment, question }: AskMetric): Promise<Prepared> {
    return ask(this.log, viewer, deployment, question);
  }
}

@QueryHandler(ListDeadLetters)
export class ListDeadLettersHandler implements IQueryHandler<ListDeadLetters> {
  constructor(@Inject(LOG) private readonly log: Log) {}

  /** Letters that name no tenant are nobody's: no key may see them. */
  execute({ viewer, limit, before }: ListDeadLetters): Promise<LetterGroup[]> {
    return deadLetters(this.log.database, viewer.tenant, { nameless: false, deployments: viewer.deployments, limit, before });
  }
}

export const QUESTIONS = [ListDeploymentsHandler, FindDeploymentHandler, AskMetricHandler, ListDeadLettersHandler];
