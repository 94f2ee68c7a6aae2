/**
 * Migrations expand before they contract: processes of the version before work on the new schema until they are replaced.
 * Each migration is run by itself, and the catalogue compared before and after.
 */
import { describe, expect, it } from '@jest/globals';
import { openDatabase, type Database, type Migration } from '@foothold/platform';
import { answeredMigrations } from '../libs/platform/src/answered.js';
import { keyMigrations } from '../libs/platform/src/keys.js';
import { freshDatabase } from './support/database.js';
import { MIGRATIONS } from './support/recording.js';
import { contractions, schemaOf } from './support/schema-changes.js';

/** In the order in which they run. */
const migrations = [...MIGRATIONS, ...keyMigrations, ...answeredMigrations].sort((one, other) => Number(one.name.slice(-13)) - Number(other.name.slice(-13)));

async function onFresh<T>(work: (database: Database) => Promise<T>): Promise<T> {
  const fresh = await freshDatabase();
  const database = await openDatabase({ url: fresh.url, migrations: [], application: 'spec' });
  try {
    return await work(database);
  } finally {
    await database.close();
    await fresh.drop();
  }
}

async function changes(database: Database, sql: string): Promise<string[]> {
  const before = await schemaOf(database);
  await database.query(sql);
  return contractions(before, await schemaOf(database));
}

it('none contracts, unless it says why nobody misses what it takes', async () => {
  const found = await onFresh(async (database) => {
    const contracting: [string, string[]][] = [];
    for (const { name, sql } of migrations) contracting.push([name, await changes(database, sql)]);
    return contracting.filter(([, what]) => what.length > 0);
  });
  const said = migrations.filter(({ contracts }: Migration) => contracts !== undefined).map(({ name }) => name);
  expect({ unsaid: found.filter(([name]) => !said.includes(name)), saidInVain: said.filter((name) => !found.some(([contracting]) => contracting === name)) }).toEqual({ unsaid: [], saidInVain: [] });
});

describe('what counts as contracting', () => {
  const TABLE = `create table item (item int generated always as identity primary key, name text not null, size int, kind text check (kind in ('a', 'b')));
    create table part (part int primary key); create function one() returns int language sql as 'select 1'; create view small as select name from item`;

  it.each([
    ['drop table part', 'table part is gone'],
    ['alter table item rename to thing', 'table item is gone'],
    ['alter table item drop column size', 'column item.size is gone'],
    ['alter table item rename column size to length', 'column item.size is gone'],
    ['alter table item alter size type bigint', 'column item.size was integer, it is bigint'],
    ['alter table item alter size set not null', 'column item.size was integer, it is integer required'],
    ['alter table item alter name drop not null', 'column item.name was text required, it is text'],
    ['alter table item add extra int not null', 'column item.extra is new and has no default'],
    ['alter table item add check (size > 0)', 'constraint item: CHECK ((size > 0)) is new and may refuse what was allowed'],
    ['alter table item drop constraint item_kind_check', `constraint item: CHECK ((kind = ANY (ARRAY['a'::text, 'b'::text]))) is gone`],
    ['create unique index on item (size)', 'unique index item: using btree (size) is new and may refuse what was allowed'],
    [`alter table item add foreign key (size) references part`, 'constraint item: FOREIGN KEY (size) REFERENCES part(part) is new and may refuse what was allowed'],
    ['drop function one', 'function one() is gone'],
    [`create or replace function one() returns int language sql as 'select 2'`, expect.stringContaining('function one() was ')],
    ['drop view small', 'table small is gone'],
  ])('%s', async (sql, what) => {
    expect(await onFresh(async (database) => {
      await database.query(TABLE);
      return changes(database, sql);
    })).toContainEqual(what);
  });

  it.each([
    'create table more (more int primary key, name text not null unique, part int references part)',
    'alter table item add extra int',
    'alter table item add extra int not null default 0',
    'create index on item (size)',
    `alter table item alter name set default ''`,
    `comment on column item.size is 'how big'`,
    'create view sized as select size from item',
  ])('not: %s', async (sql) => {
    expect(await onFresh(async (database) => {
      await database.query(TABLE);
      return changes(database, sql);
    })).toEqual([]);
  });
});
