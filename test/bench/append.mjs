/**
 * The log's append beside the COPY of the same rows into a table with the same keys: 5,000 rows a transaction, in turns,
 * on one connection each. Both begin with objects in memory; the COPY's are numbered already.
 */
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { checkMessage } from '../../dist/libs/contract/src/index.js';
import { append as appendTo, encoded, openLog, openOrigin } from '../../dist/libs/event-log/src/index.js';
import { openBenchDatabase, perSecond, verified } from './servers.mjs';
import { usage } from './workload.mjs';

const BATCH = 5_000;
const ROUNDS = 8;
const COLUMNS = ['shard', 'position', 'id', 'source', 'type', 'deployment', 'person', 'actor', 'time', 'received', 'origin', 'data'];
const TYPES = ['int2', 'int8', 'uuid', 'int4', 'text', 'int4', 'int8', 'int8', 'timestamptz', 'timestamptz', 'int4', 'json'];

export async function append({ server, events, say }) {
  const { database, url, keyCheck, close } = await openBenchDatabase(server, 'append');
  const copier = new pg.Client(url);
  await copier.connect();
  try {
    const log = openLog(database, keyCheck);
    say(`append: checking ${events} events`);
    const arrivals = [];
    for (const event of usage(events)) {
      const verdict = checkMessage(Buffer.from(JSON.stringify(event)), 'bench', Date.now() * 1000, { pseudonymise: (_, person) => person, subjects: 'pseudonyms' });
      if (verdict.outcome !== 'accepted') throw new Error(verdict.refusal.reason);
      arrivals.push({ tenant: 'bench', event: verdict.event });
    }
    for (const table of ['copy_text', 'copy_binary']) {
      await copier.query(`create table ${table} (like event); alter table ${table} add primary key (shard, position); create unique index on ${table} (id, source)`);
    }
    const { origin } = await openOrigin(database, { kind: 'file', name: 'bench', part: 0, tenant: 'bench', firstOffset: 0 });
    const seconds = { append: 0, copy_text: 0, copy_binary: 0 };
    const perRound = Math.ceil(arrivals.length / ROUNDS / BATCH) * BATCH;
    for (let round = 0; round * perRound < arrivals.length; round++) {
      const share = arrivals.slice(round * perRound, (round + 1) * perRound);
      const batches = Array.from({ length: Math.ceil(share.length / BATCH) }, (_, i) => share.slice(i * BATCH, (i + 1) * BATCH));
      let next = round * perRound;
      seconds.append += await timed(async () => {
        for (const batch of batches) {
          await appendTo(log, batch, { origin, from: next, next: next + batch.length, voids: 0, mark: null, markOffset: null });
          next += batch.length;
        }
      });
      const rows = await stored(copier, share);
      for (const [table, encode, format] of [['copy_text', asText, 'text'], ['copy_binary', asBinary, 'binary']]) {
        const shares = batches.map((batch, i) => rows.slice(i * BATCH, i * BATCH + batch.length));
        seconds[table] += await timed(async () => {
          for (const piece of shares) await copy(copier, table, encode(piece), format);
        });
      }
      say(`append: round ${round + 1}, ${Math.min(arrivals.length, (round + 1) * perRound)} events`);
    }
    await verified(database, arrivals.length);
    for (const table of ['copy_text', 'copy_binary']) await same(copier, table);
    const rate = (name) => perSecond(arrivals.length, seconds[name]);
    return [
      { name: 'append, of COPY text', ours: rate('append'), limit: rate('copy_text'), ratio: seconds.copy_text / seconds.append, unit: 'events/s' },
      { name: 'append, of COPY binary', ours: rate('append'), limit: rate('copy_binary'), ratio: seconds.copy_binary / seconds.append, unit: 'events/s' },
    ];
  } finally {
    await copier.end();
    await close();
  }
}

async function timed(work) {
  const start = process.hrtime.bigint();
  await work();
  return Number(process.hrtime.bigint() - start) / 1e9;
}

/** What append has just stored, as it stands in the log, in the order it was handed in. */
async function stored(client, share) {
  const { rows } = await client.query({
    text: `select shard, position::float8, id, source, type, deployment, person::float8, actor::float8, (extract(epoch from time) * 1000000)::float8, (extract(epoch from received) * 1000000)::float8, origin, data::text,
                  time::text, received::text from event join unnest($1::uuid[]) with ordinality as w(id, place) using (id) order by place`,
    values: [share.map(({ event }) => event.id)], rowMode: 'array',
  });
  if (rows.length !== share.length) throw new Error(`${rows.length} rows of ${share.length} are in the log`);
  return rows;
}

const asBinary = (rows) => Buffer.concat([...encoded(TYPES, rows.map((row) => row.slice(0, 12)))]);

function asText(rows) {
  const field = (value) => (value === null ? '\\N' : typeof value === 'string' ? value.replace(/\\/g, '\\\\').replace(/\n/g, '\\n').replace(/\t/g, '\\t') : String(value));
  return Buffer.from(rows.map((row) => [...row.slice(0, 8), row[12], row[13], row[10], row[11]].map(field).join('\t')).join('\n') + '\n');
}

async function copy(client, table, bytes, format) {
  await client.query('begin');
  await new Promise((resolve, reject) => {
    const stream = client.query(copyFrom(`copy ${table} (${COLUMNS.join(', ')}) from stdin (format ${format})`));
    stream.once('error', reject).once('finish', resolve).end(bytes);
  });
  await client.query('commit');
}

async function same(client, table) {
  const { rows } = await client.query(`select count(*)::int as differing from
    (select to_jsonb(e) - 'data' as row, data::text from event e where shard < 16) e full join (select to_jsonb(c) - 'data' as row, data::text from ${table} c) c
    on (e.row ->> 'id') = (c.row ->> 'id') where e.row is distinct from c.row or e.data is distinct from c.data`);
  if (rows[0].differing !== 0) throw new Error(`${rows[0].differing} rows of ${table} differ from the log`);
}
