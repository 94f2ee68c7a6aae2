/** What a schema holds that a process may rely on, and what of it a migration has taken away or forbidden. */
import { type Database } from '@foothold/platform';

/** By what it is (`column event.id`), how it is; a process of the version before relies on all of it. */
export type Schema = Map<string, string>;

/** What may be in a schema. Views and functions are taken whole: whoever calls them relies on what they do. */
const PARTS = `
select 'table ' || c.relname as what, c.relkind::text as how from pg_class c where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'v', 'm', 'p')
union all
select 'column ' || c.relname || '.' || a.attname, format_type(a.atttypid, a.atttypmod) || case when a.attnotnull and not a.atthasdef and a.attidentity::text = '' then ' required' when a.attnotnull then ' not null' else '' end
       || case when a.attidentity::text <> '' then ' identity ' || a.attidentity::text else '' end
  from pg_attribute a join pg_class c on c.oid = a.attrelid where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'v', 'm', 'p') and a.attnum > 0 and not a.attisdropped
union all
select 'constraint ' || r.relname || ': ' || pg_get_constraintdef(k.oid), k.contype::text from pg_constraint k join pg_class r on r.oid = k.conrelid where k.connamespace = current_schema()::regnamespace and k.contype <> 'n'
union all
select 'unique index ' || t.relname || ': ' || regexp_replace(pg_get_indexdef(i.indexrelid), '^.* USING', 'using'), '' from pg_index i join pg_class t on t.oid = i.indrelid where t.relnamespace = current_schema()::regnamespace and i.indisunique
union all
select 'trigger ' || t.relname || ': ' || pg_get_triggerdef(g.oid), '' from pg_trigger g join pg_class t on t.oid = g.tgrelid where t.relnamespace = current_schema()::regnamespace and not g.tgisinternal
union all
select 'function ' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')', md5(pg_get_functiondef(p.oid)) from pg_proc p where p.pronamespace = current_schema()::regnamespace and p.prokind = 'f'
union all
select 'view ' || viewname, md5(definition) from pg_views where schemaname = current_schema()`;

export async function schemaOf(database: Database): Promise<Schema> {
  const rows = await database.query<{ what: string; how: string }>(PARTS);
  return new Map(rows.map(({ what, how }) => [what, how]));
}

/** What a process that knows `before` may stumble over in `after`, in words; empty where the schema was only expanded. */
export function contractions(before: Schema, after: Schema): string[] {
  const found: string[] = [];
  for (const [what, how] of before) {
    const now = after.get(what);
    if (now === undefined) found.push(`${what} is gone`);
    else if (now !== how && !(now === relaxed(how))) found.push(`${what} was ${how}, it is ${now}`);
  }
  for (const [what, how] of after) {
    if (before.has(what) || !before.has(`table ${tableOf(what)}`)) continue; // whatever it demands, nobody wrote to a new table
    if (what.startsWith('column ') ? how.endsWith(' required') : /^(constraint|unique index|trigger) /.test(what)) found.push(`${what} is new and ${what.startsWith('column ') ? 'has no default' : 'may refuse what was allowed'}`);
  }
  return found;
}

/** A column that need no longer be given. */
const relaxed = (how: string): string => how.replace(/ required$/, ' not null');
const tableOf = (what: string): string => /^(?:column|constraint|unique index|trigger) ([^.:]+)/.exec(what)?.[1] ?? '';
