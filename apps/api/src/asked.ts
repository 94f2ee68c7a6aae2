/**
 * Who asks, and with what.
 * What arrives: an HTTP request for an operation. What leaves: whose key it carries, and its parameters and body as the
 * operation's shapes have them, or an error. Next is the controller. Nothing of the request is looked at before the key.
 */
import { type Viewer } from '@foothold/adoption';
import { Forbidden, readFields, readParameters, WrongInput } from '@foothold/contract';
import { Keys, wrongContentType, type AccessKey } from '@foothold/platform';
import { applyDecorators, createParamDecorator, Inject, Injectable, RequestMapping, RequestMethod, SetMetadata, UseGuards, UseInterceptors, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { type FastifyRequest } from 'fastify';
import { type Static, type TObject } from 'typebox';
import { Answering } from './answering.js';
import { CALLER, Idempotent, type Caller } from './idempotent.js';
import { OPERATION, type Operation } from './operations.js';

/** A request as an operation declares it. */
export interface AskedBy<Asked extends Operation> {
  viewer: Viewer;
  parameters: Static<Asked['parameters']>;
  query: Static<Asked['query']>;
  /** Empty where a file came in its place. */
  body: Asked['body'] extends TObject ? Static<Asked['body']> : null;
  /** The body where it came as a file. */
  file: Buffer | null;
  /** The version that If-Match names; undefined: any. */
  expected: number | undefined;
}

const ASKED = Symbol('Asked');
type Request = FastifyRequest & { [ASKED]?: Omit<AskedBy<Operation>, 'body'> & { body: unknown }; [CALLER]?: Caller };

/** The handler of an operation: its route, the check of who asks it and with what, and the form of its answer. */
export function Serves(operation: Operation): MethodDecorator {
  const path = routeOf(operation.path);
  return applyDecorators(RequestMapping({ path, method: RequestMethod[operation.method] }), SetMetadata(OPERATION, operation), UseGuards(Admission), UseInterceptors(Answering, Idempotent));
}

/** A path as the router writes it. */
export const routeOf = (path: string): string => path.replace(/\{(\w+)\}/g, ':$1');

/** What was asked, checked. */
export const Asked = createParamDecorator((_: undefined, context: ExecutionContext) => context.switchToHttp().getRequest<Request>()[ASKED]);

@Injectable()
export class Admission implements CanActivate {
  constructor(
    @Inject(Keys) private readonly keys: Keys,
    @Inject(Reflector) private readonly reflector: Reflector,
  ) {}

  async canActivate(context: ExecutionContext): Promise<true> {
    const operation = this.reflector.get<Operation>(OPERATION, context.getHandler());
    const request = context.switchToHttp().getRequest<Request>();
    const { id: accessKey, tenant, deployments } = await this.admit(operation, request);
    request[CALLER] = { accessKey, tenant };
    const file = operation.file && mediaTypeOf(request) === operation.file.type ? (request.body as Buffer) : null;
    request[ASKED] = {
      viewer: { tenant, deployments },
      parameters: readParameters(operation.parameters, request.params as Record<string, string>),
      query: readParameters(operation.query, request.query as Record<string, unknown>),
      body: operation.body && (file ? {} : readBody(operation.body, request, operation.file?.type)),
      file,
      expected: operation.conditional && versionIn(request.headers['if-match']),
    };
    return true;
  }

  private async admit({ keys }: Operation, { headers }: Request): Promise<AccessKey> {
    const key = await this.keys.authenticate(headers.authorization);
    if (!keys.includes(key.kind)) throw new Forbidden('authorization', `a ${key.kind} key may not do this`, `send a ${keys.join(' or ')} key; make one with: foothold key create`);
    if (key.origins && headers.origin !== undefined && !key.origins.includes(headers.origin)) throw new Forbidden('origin', 'the key is not for pages of this origin', 'use a key that is, or none that is bound to origins');
    return key;
  }
}

function versionIn(ifMatch: string | undefined): number | undefined {
  if (ifMatch === undefined || ifMatch.trim() === '*') return undefined;
  const version = VERSION.exec(ifMatch.trim())?.[1];
  if (version === undefined) throw new WrongInput('if-match', 'not one version in quotes', 'send the version of the deployment, such as "7", or leave the header out');
  return Number(version);
}

const VERSION = /^"([0-9]{1,9})"$/;

function readBody<Shape extends TObject>(shape: Shape, request: Request, or?: string): Static<Shape> {
  const { body } = request;
  if (mediaTypeOf(request) !== 'application/json') throw wrongContentType(['application/json', or].filter(Boolean).join(' or '));
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw new WrongInput('body', 'not an object', `send one with the fields ${Object.keys(shape.properties).join(', ')}`);
  return readFields(shape, body as Record<string, unknown>, 'body');
}

const mediaTypeOf = ({ headers }: Request): string | undefined => headers['content-type']?.split(';', 1)[0]!.trim().toLowerCase();
