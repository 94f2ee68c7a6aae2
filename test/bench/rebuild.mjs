/**
 * A rebuild of the read tables beside live, its comparison and swap included, beside the simplest loop: read the log, fold
 * 1,000 events at a time with every row in memory, one upsert a table. Both on the same log, into tables with the same keys;
 * all three results are compared in every column.
 */
import pg from 'pg';
import { usageProjection } from '../../dist/libs/adoption/src/index.js';
import { keyOf, openLog, prepare, project, read, rebuild as rebuildOf, USAGE_SHARDS } from '../../dist/libs/event-log/src/index.js';
import { openBenchDatabase, perSecond, store, verified } from './servers.mjs';
import { usage } from './workload.mjs';

const LOOP_PAGE = 1_000;
const { tables } = usageProjection;

export async function rebuild({ server, events, say }) {
  const { database, url, keyCheck, close } = await openBenchDatabase(server, 'rebuild');
  const client = new pg.Client(url);
  await client.connect();
  try {
    const log = openLog(database, keyCheck);
    say(`rebuild: storing and folding ${events} events`);
    await store(log, usage(events));
    await verified(database, events);
    await prepare(database, usageProjection);
    for (let shard = 0; shard < USAGE_SHARDS; shard++) while ((await project(log, usageProjection, shard)).behind);
    await database.query('vacuum analyze');

    say('rebuild: beside live');
    const before = process.hrtime.bigint();
    const done = await rebuildOf(log, usageProjection);
    const seconds = Number(process.hrtime.bigint() - before) / 1e9;
    if (!done.swapped || done.events !== events) throw new Error(`the rebuild says otherwise: ${JSON.stringify(done)}`);

    say('rebuild: the simplest loop');
    await client.query(`create schema simplest; set time zone 'UTC'`);
    for (const { name } of tables) await client.query(`create table simplest.${name} (like ${name} including all)`);
    const started = process.hrtime.bigint();
    await simplest(log, client);
    const loop = Number(process.hrtime.bigint() - started) / 1e9;
    for (const { name } of tables) {
      const { rows } = await client.query(`select count(*)::int as count from ((select * from ${name} except all select * from simplest.${name}) union all (select * from simplest.${name} except all select * from ${name})) d`);
      if (rows[0].count > 0) throw new Error(`${rows[0].count} rows of ${name} differ from the simplest loop's`);
    }
    return [{ name: 'rebuild, of the simplest loop', ours: perSecond(events, seconds), limit: perSecond(events, loop), ratio: loop / seconds, unit: 'events/s' }];
  } finally {
    await client.end();
    await close();
  }
}

async function simplest(log, client) {
  for (let shard = 0; shard < USAGE_SHARDS; shard++) {
    const rows = new Map(tables.map(({ name }) => [name, new Map()]));
    for (let position = 0; ; ) {
      const events = await read(log, client, shard, position, LOOP_PAGE);
      if (events.length === 0) break;
      position = events.at(-1).position;
      const touched = new Map(tables.map(({ name }) => [name, new Set()]));
      await usageProjection.fold(events, {
        shard,
        registration: (deployment) => log.identities.deploymentOf(deployment).registration,
        async take(table, keys) {
          const taken = new Map();
          for (const key of [...keys].map((row) => keyOf(table, row))) {
            const row = rows.get(table.name).get(key);
            touched.get(table.name).add(key);
            if (row) taken.set(key, row);
            rows.get(table.name).delete(key);
          }
          return taken;
        },
        async put(table, values) {
          for (const row of values) rows.get(table.name).set(keyOf(table, row), row);
        },
      });
      await client.query('begin');
      for (const table of tables) await upsert(client, table, shard, [...touched.get(table.name)].map((key) => rows.get(table.name).get(key)).filter(Boolean));
      await client.query('commit');
    }
  }
}

async function upsert(client, { name, columns, key }, shard, rows) {
  if (rows.length === 0) return;
  const names = Object.keys(columns);
  const arrays = names.map((column, i) => `$${i + 2}::${{ timestamptz: 'int8', date: 'int4' }[columns[column]] ?? columns[column]}[]`);
  const values = names.map((column) => ({ timestamptz: `'epoch'::timestamptz + r.${column} * interval '1 microsecond'`, date: `'epoch'::date + r.${column}` })[columns[column]] ?? `r.${column}`);
  await client.query({
    name: `upsert-${name}`,
    text: `insert into simplest.${name} (shard, ${names.join(', ')}) select $1, ${values.join(', ')} from unnest(${arrays.join(', ')}) as r(${names.join(', ')})
      on conflict (shard, ${key.join(', ')}) do update set ${names.filter((column) => !key.includes(column)).map((column) => `${column} = excluded.${column}`).join(', ')}`,
    values: [shard, ...names.map((column) => rows.map((row) => row[column]))],
  });
}
