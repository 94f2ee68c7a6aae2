/** Tokens for Kafka's OAUTHBEARER, had with client credentials (RFC 6749, 4.4), kept while they hold and renewed before they expire. */
import { WrongInput } from '@foothold/contract';
import kafkajs from 'kafkajs';
import { type Config } from './config.js';

const ANSWER_MS = 10_000;
/** The part of its life after which a token is renewed; one that cannot be renewed is used while it holds. */
const RENEW_AFTER = 0.8;
/** A token about to expire would do so on its way. */
const MARGIN_MS = 5_000;

interface Token {
  value: string;
  renewAt: number;
  expiresAt: number;
}

export class TokenSource {
  private token: Token | undefined;
  private asking: Promise<Token> | undefined;

  constructor(
    private readonly config: Config,
    private readonly now: () => number = Date.now,
  ) {}

  /**
   * A token that holds. Whoever asks while one is being fetched waits for that one.
   * @throws WrongInput where the endpoint refuses; KafkaJSConnectionError, which is tried again, where it does not answer
   */
  async current(): Promise<string> {
    if (this.token && this.now() < this.token.renewAt) return this.token.value;
    this.asking ??= this.fetch().finally(() => (this.asking = undefined));
    try {
      this.token = await this.asking;
    } catch (error) {
      if (!this.token || this.now() >= this.token.expiresAt - MARGIN_MS) throw error;
    }
    return this.token.value;
  }

  /** The next to ask gets a new one. */
  forget(): void {
    this.token = undefined;
  }

  private async fetch(): Promise<Token> {
    const { KAFKA_OAUTH_CLIENT_ID: id, KAFKA_OAUTH_CLIENT_SECRET: secret, KAFKA_OAUTH_SCOPE: scope, KAFKA_OAUTH_TOKEN_URL: url } = this.config;
    const asked = this.now();
    let status: number;
    let answer: { access_token?: unknown; expires_in?: unknown; error?: unknown };
    try {
      const response = await fetch(url!, {
        method: 'POST',
        redirect: 'manual',
        signal: AbortSignal.timeout(ANSWER_MS),
        headers: { authorization: `Basic ${Buffer.from(`${formEncoded(id!)}:${formEncoded(secret!)}`).toString('base64')}`, accept: 'application/json' },
        body: new URLSearchParams({ grant_type: 'client_credentials', ...(scope && { scope }) }),
      });
      status = response.status;
      answer = ((await response.json().catch(() => null)) as typeof answer | null) ?? {};
    } catch (error) {
      throw unanswered((error as { cause?: { code?: string } }).cause?.code ?? (error as Error).name);
    }
    if (status >= 500 || status === 429) throw unanswered(`status ${status}`);
    if (status !== 200) throw refusal(status, answer.error);
    const { access_token: value, expires_in: seconds } = answer;
    if (typeof value !== 'string' || !/^[\x21-\x7e]+$/.test(value)) throw new WrongInput('KAFKA_OAUTH_TOKEN_URL', 'its answer holds no access_token', 'name the token endpoint of an OAuth 2 server');
    // One whose life is not told is used once.
    const life = 1000 * (Number(seconds) || 0);
    return { value, renewAt: asked + life * RENEW_AFTER, expiresAt: asked + life };
  }
}

function refusal(status: number, error: unknown): WrongInput {
  if (error === 'invalid_scope') return new WrongInput('KAFKA_OAUTH_SCOPE', 'is refused by the token endpoint', 'set a scope that the client may have, or leave it out');
  if (status === 401 || error === 'invalid_client' || error === 'unauthorized_client') {
    return new WrongInput('KAFKA_OAUTH_CLIENT_SECRET', 'is refused by the token endpoint for KAFKA_OAUTH_CLIENT_ID', 'set the id and secret of a client that may use client credentials');
  }
  return new WrongInput('KAFKA_OAUTH_TOKEN_URL', `answers with status ${status} instead of a token`, 'name the token endpoint itself, without a redirect');
}

/** As connections that fail, so that kafkajs tries again. */
function unanswered(why: string): Error {
  const Unanswered = kafkajs.KafkaJSConnectionError as unknown as new (message: string) => Error;
  return new Unanswered(`KAFKA_OAUTH_TOKEN_URL does not answer (${why}); where its certificate is signed by an authority of your own, set NODE_EXTRA_CA_CERTS to it`);
}

/** As RFC 6749 wants ids and secrets before they are joined by a colon. */
const formEncoded = (text: string): string => new URLSearchParams({ '': text }).toString().slice(1);
