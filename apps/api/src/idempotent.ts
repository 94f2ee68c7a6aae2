/**
 * Idempotency-Key (draft-ietf-httpapi-idempotency-key-header): the same command with the same key is done once, and answered the
 * same for 24 hours.
 *
 * What arrives: a command that was let in. What leaves: what its handler gives, or gave before; an error is not remembered,
 * for nothing was done. Next is Answering, which writes it.
 */
import { WrongInput } from '@foothold/contract';
import { AnsweredRequests, Database, isTransient, Problem, Pseudonymiser } from '@foothold/platform';
import { Inject, Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { createHash } from 'node:crypto';
import { firstValueFrom, from, type Observable } from 'rxjs';
import { type Given } from './answering.js';

/** Under which a request carries who sent it. */
export const CALLER = Symbol('Caller');
/** The number of the access key, and its tenant. */
export interface Caller {
  accessKey: number;
  tenant: string;
}
type Request = FastifyRequest & { [CALLER]?: Caller };

const FORM = /^[!-~]{1,255}$/;

@Injectable()
export class Idempotent implements NestInterceptor {
  private readonly answered: AnsweredRequests;

  constructor(
    @Inject(Database) database: Database,
    @Inject(Pseudonymiser) private readonly pseudonymiser: Pseudonymiser,
  ) {
    this.answered = new AnsweredRequests(database);
  }

  intercept(context: ExecutionContext, next: CallHandler<Given>): Observable<Given> {
    const request = context.switchToHttp().getRequest<Request>();
    const key = request.headers['idempotency-key'];
    if (key === undefined || (request.method !== 'POST' && request.method !== 'PUT')) return next.handle();
    if (typeof key !== 'string' || !FORM.test(key)) throw new WrongInput('idempotency-key', 'not of the form it must have', 'send 1 to 255 visible ASCII characters, such as a UUID that is made once for the request');
    return from(this.once(request, key, () => firstValueFrom(next.handle()), context.switchToHttp().getResponse<FastifyReply>()));
  }

  private async once(request: Request, key: string, work: () => Promise<Given>, reply: FastifyReply): Promise<Given> {
    const { accessKey, tenant } = request[CALLER]!;
    const claim = await this.answered.claim(accessKey, key, this.hashOf(request, tenant));
    if (claim.is === 'another request') throw new Problem(422, 'Key used before', { field: 'idempotency-key', reason: 'it came with another request before', fix: 'make a new key for each request, and send the same request with the same key' });
    if (claim.is === 'being done') throw new Problem(409, 'Being done', { field: 'idempotency-key', reason: 'the same request is being done at this moment', fix: 'send it again a little later' }, { 'retry-after': '1' });
    if (claim.is === 'answered') {
      void reply.header('idempotency-replayed', 'true');
      return claim.answer as Given;
    }
    let given: Given;
    try {
      given = await work();
    } catch (error) {
      // Where the database does not answer, nobody knows whether it was done: the claim stays until its lease is over.
      if (!isTransient(error)) await this.answered.giveUp(accessKey, key, claim.claimed);
      throw error;
    }
    // It is done: whoever waits is told so, even where it cannot be remembered. Asked again after the lease, it adds no fact.
    await this.answered.remember(accessKey, key, claim.claimed, given).catch(() => undefined);
    return given;
  }

  /** Of everything the answer depends on, under the tenant's key: a roster's hash alone would tell a guesser who is on it. */
  private hashOf({ method, url, headers, body }: Request, tenant: string): Buffer {
    const hash = createHash('sha256').update(JSON.stringify([method, url, headers['if-match'] ?? null, Buffer.isBuffer(body)])).update('\n').update(Buffer.isBuffer(body) ? body : JSON.stringify(body ?? null));
    return Buffer.from(this.pseudonymiser.pseudonym(tenant, `request ${hash.digest('hex')}`), 'hex');
  }
}
