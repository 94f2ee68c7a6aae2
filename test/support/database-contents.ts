/** What a database holds, in words that mean the same in another: names for numbers, and without stamps and positions. */
import type pg from 'pg';

const DEPLOYMENT = `'deployment', d.id`;
const PERSON = `'person', encode(p.pseudonym, 'hex')`;
const NAMES = `join deployment d using (deployment) join person p using (person)`;
const READ_TABLES = {
  invocation: `select to_jsonb(t) - 'revised_at' || jsonb_build_object(${DEPLOYMENT}, ${PERSON}, 'actor', encode(a.pseudonym, 'hex')) as row
    from invocation t ${NAMES} left join person a on a.person = t.actor`,
  task: `select to_jsonb(t) - 'revised_at' || jsonb_build_object(${DEPLOYMENT}, ${PERSON}) as row from task t ${NAMES}`,
  person_day: `select to_jsonb(t) - 'revised_at' || jsonb_build_object(${DEPLOYMENT}, ${PERSON}) as row from person_day t ${NAMES}`,
};
export type ReadTable = keyof typeof READ_TABLES;

/** A read table's rows, in no order. */
export async function readTable(client: pg.Client, table: ReadTable): Promise<string[]> {
  return texts(client, `select row::text as text from (${READ_TABLES[table]}) r`);
}

/** Ids of the usage events in the log. */
export const loggedIds = (client: pg.Client): Promise<string[]> => texts(client, `select id::text as text from event where shard < 16`);

/** `kind id` of every dead letter. */
export const buried = (client: pg.Client): Promise<string[]> => texts(client, `select concat_ws(' ', kind, id) as text from dead_letter`);

/** How many records were taken from the origins, and how many events lie in the log and are folded. */
export async function progress(client: pg.Client): Promise<{ received: number; behind: number }> {
  const { rows } = await client.query<{ received: number; behind: number }>(
    `select (select coalesce(sum(next_offset - first_offset), 0)::int from origin) as received,
            (select sum(h.position - coalesce(c.position, 0))::int from head h left join checkpoint c using (shard) where h.shard < 16) as behind`,
  );
  return rows[0]!;
}

/** Where an origin's fence stands, and of which partition it is. */
export async function fence(client: pg.Client, origin: number): Promise<{ part: number; next: number }> {
  const { rows } = await client.query<{ part: number; next: number }>('select part, next_offset::int as next from origin where origin = $1', [origin]);
  return rows[0]!;
}

async function texts(client: pg.Client, sql: string): Promise<string[]> {
  return (await client.query<{ text: string }>(sql)).rows.map(({ text }) => text);
}

/** What one list holds that the other does not, each as often as it is more, the first few of them. */
export function difference(one: string[], other: string[]): { missing: string[]; surplus: string[] } {
  const balance = new Map<string, number>();
  for (const text of other) balance.set(text, (balance.get(text) ?? 0) + 1);
  for (const text of one) balance.set(text, (balance.get(text) ?? 0) - 1);
  const uneven = [...balance];
  return {
    missing: uneven.filter(([, count]) => count > 0).map(([text]) => text).slice(0, 5),
    surplus: uneven.filter(([, count]) => count < 0).map(([text]) => text).slice(0, 5),
  };
}
