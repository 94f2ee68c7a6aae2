/**
 * What was answered to requests that carry an Idempotency-Key, so that a client that lost the answer can ask again.
 *
 * A key belongs to the access key it came with. Its row is claimed before the request is done and takes the answer afterwards.
 * Whoever claimed it and never answered (it crashed) loses it after `LEASE`: then the request is done anew, which is safe because
 * the commands are idempotent by their facts: the same again adds none.
 */
import { type Database, type Migration } from './database.js';

export const answeredMigrations: Migration[] = [
  {
    name: 'AnsweredRequests1790000000020',
    sql: `
create table answered_request (
  access_key int not null,
  key text not null,
  request bytea not null,
  claimed timestamptz not null default clock_timestamp(),
  answer json,
  primary key (access_key, key)
);
create index answered_request_claimed on answered_request (claimed);
comment on table answered_request is 'requests with an Idempotency-Key of the last 24 hours, and what was answered to them';
comment on column answered_request.key is 'the Idempotency-Key';
comment on column answered_request.request is 'keyed hash of the request: the same key may carry no other';
comment on column answered_request.answer is 'null while it is being done';
`,
  },
];

/** How long an answer is remembered. */
const REMEMBERED = `interval '24 hours'`;
/** How long a request may take: longer than any is waited for. */
const LEASE = `interval '60 seconds'`;

/** What is to be done with a request: do it, say what was answered before, or refuse it. */
export type Claim = { is: 'ours'; claimed: string } | { is: 'answered'; answer: unknown } | { is: 'being done' } | { is: 'another request' };

export class AnsweredRequests {
  constructor(private readonly database: Database) {}

  /** Claims a key for a request, given by its keyed hash. Of several at once, one has it. */
  async claim(accessKey: number, key: string, request: Buffer): Promise<Claim> {
    for (;;) {
      await this.database.query(`delete from answered_request where claimed < clock_timestamp() - ${REMEMBERED}`);
      const [ours] = await this.database.query<{ claimed: string }>(CLAIM, [accessKey, key, request]);
      if (ours) return { is: 'ours', claimed: ours.claimed };
      const [row] = await this.database.query<{ request: Buffer; answer: unknown }>('select request, answer from answered_request where access_key = $1 and key = $2', [accessKey, key]);
      if (!row) continue; // given up since
      if (!row.request.equals(request)) return { is: 'another request' };
      return row.answer === null ? { is: 'being done' } : { is: 'answered', answer: row.answer };
    }
  }

  /** Remembers what was answered; not where the claim was lost meanwhile. */
  async remember(accessKey: number, key: string, claimed: string, answer: unknown): Promise<void> {
    await this.database.query('update answered_request set answer = $4 where access_key = $1 and key = $2 and claimed = $3::timestamptz', [accessKey, key, claimed, JSON.stringify(answer)]);
  }

  /** Gives a claim back: nothing was done, and the same may be tried again. */
  async giveUp(accessKey: number, key: string, claimed: string): Promise<void> {
    await this.database.query('delete from answered_request where access_key = $1 and key = $2 and claimed = $3::timestamptz and answer is null', [accessKey, key, claimed]);
  }
}

/** A row that was left unanswered for longer than its lease is taken over, by the same request only. */
const CLAIM = `insert into answered_request as r (access_key, key, request) values ($1, $2, $3)
  on conflict (access_key, key) do update set claimed = clock_timestamp()
    where r.answer is null and r.request = excluded.request and r.claimed < clock_timestamp() - ${LEASE}
  returning claimed::text as claimed`;
