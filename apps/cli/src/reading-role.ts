/**
 * A role of the database that reads the views of `reporting_v1`, as one tenant.
 *
 * What arrives: a role's name and a tenant. What leaves: a role that may use the schema and select from its views, bound to the
 * tenant in reporting_reader, which the views filter by; where there is none, one that is made. Next is whoever logs in with it.
 *
 * A role that could read more by other ways is refused: the views would only seem to hold it. Its password never comes near a
 * statement: what Postgres is sent is the verifier that it would keep (SCRAM-SHA-256), so that no log of statements can tell it.
 */
import { Conflicting, Unknown, WrongInput } from '@foothold/contract';
import { type Database, type PoolClient } from '@foothold/platform';
import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { text } from 'node:stream/consumers';

const SCHEMA = 'reporting_v1';
const VARIABLE = 'FOOTHOLD_REPORTING_PASSWORD';
const INSUFFICIENT_PRIVILEGE = '42501';

/** What a role that is made begins its sessions with: a reader who forgets one must not hold up a migration, or the vacuuming of everything. */
const SETTINGS = { default_transaction_read_only: 'on', statement_timeout: '60s', idle_in_transaction_session_timeout: '60s' };
const CONNECTIONS = 10;

/** @throws WrongInput where no role may be called so */
export function checkRole(role: string): void {
  if (!/^[^\p{C}]{1,63}$/u.test(role) || Buffer.byteLength(role) > 63 || /^pg_/.test(role) || ['public', 'none'].includes(role)) {
    throw new WrongInput('role', `a text of ${role.length} characters that is no name of a role`, 'use up to 63 letters, digits and _, beginning with a letter and not with pg_, such as analyst_acme');
  }
}

/** As SQL names it. */
const quoted = (role: string): string => `"${role.replaceAll('"', '""')}"`;

/**
 * The password of a role that is to be made: the setting's, or all of stdin.
 * @throws WrongInput where neither says one, or it is none to be used
 */
export async function newPassword(set: string | null, input: NodeJS.ReadStream = process.stdin): Promise<string> {
  const fix = `set ${VARIABLE}, or pipe the password in: foothold reporting grant ROLE < password.txt`;
  if (set === null && input.isTTY) throw new WrongInput(VARIABLE, 'there is no such role yet, and no password to make one with', fix);
  const password = set ?? (await text(input)).replace(/\r?\n$/, '');
  if (password === '') throw new WrongInput(VARIABLE, 'there is no such role yet, and no password to make one with', fix);
  if (!/^[!-~]{12,200}$/.test(password)) throw new WrongInput(VARIABLE, `a password of ${password.length} characters that cannot be used`, 'use 12 to 200 letters, digits and punctuation marks of ASCII, without spaces');
  return password;
}

/** What Postgres keeps of a password (RFC 5803). */
export function verifierOf(password: string, salt = randomBytes(16), rounds = 4_096): string {
  const salted = pbkdf2Sync(password, salt, rounds, 32, 'sha256');
  const keyed = (label: string) => createHmac('sha256', salted).update(label).digest();
  return `SCRAM-SHA-256$${rounds}:${salt.toString('base64')}$${createHash('sha256').update(keyed('Client Key')).digest('base64')}:${keyed('Server Key').toString('base64')}`;
}

/**
 * Binds a role to a tenant, and lets it read the views; the same again changes nothing.
 * @param password asked for only where the role must be made
 * @throws Unknown where there is no such tenant; Conflicting where the role is bound to another, or may read or do more;
 *   WrongInput where whoever runs this may not make roles
 */
export async function bindRole(database: Database, tenant: string, role: string, password: () => Promise<string>): Promise<{ created: boolean }> {
  const exists = async () => (await database.query('select from pg_roles where rolname = $1', [role])).length > 0;
  const verifier = (await exists()) ? null : verifierOf(await password()); // read before the transaction, which must not wait for somebody who types
  return database.transaction(async (client) => {
    const { rows: [of] } = await client.query<{ tenant: number }>('select tenant from tenant where name = $1', [tenant]);
    if (!of) throw new Unknown('--tenant', `there is no tenant "${tenant}"`, 'register a deployment of it first: foothold deployment register ID --tenant NAME');
    const created = verifier !== null && (await make(client, role, verifier));
    const { rows: [bound] } = await client.query<{ name: string }>('select name from reporting_reader join tenant using (tenant) where role = $1', [role]);
    if (bound && bound.name !== tenant) throw new Conflicting('role', `it reads as tenant "${bound.name}" already, and a role reads as one`, `make another role, or end that first: foothold reporting revoke ${role} --tenant ${bound.name}`);
    await client.query('insert into reporting_reader (role, tenant) values ($1, $2) on conflict do nothing', [role, of.tenant]);
    await client.query(`grant usage on schema ${SCHEMA} to ${quoted(role)}`);
    await client.query(`grant select on all tables in schema ${SCHEMA} to ${quoted(role)}`);
    await refuseMighty(client, role);
    return { created };
  });
}

/** @throws WrongInput where whoever runs this may not */
async function make(client: PoolClient, role: string, verifier: string): Promise<boolean> {
  try {
    // Neither takes parameters; a verifier holds nothing that ends a text.
    await client.query(`create role ${quoted(role)} login noinherit nosuperuser nocreatedb nocreaterole connection limit ${CONNECTIONS} password '${verifier}'`);
    const { rows } = await client.query<{ name: string }>('select quote_ident(current_database()) as name');
    for (const [setting, value] of Object.entries(SETTINGS)) await client.query(`alter role ${quoted(role)} in database ${rows[0]!.name} set ${setting} = '${value}'`);
    return true;
  } catch (error) {
    if ((error as { code?: string }).code !== INSUFFICIENT_PRIVILEGE) throw error;
    throw new WrongInput('role', `there is none called "${role}", and the user in DATABASE_URL may not make one`, `let somebody who may make it (create role ${role} login, and its password), then do this again; or let this user: alter role (its name) createrole`);
  }
}

/** By what is wrong with a role, what to do about it: each is a way around the views. */
const MIGHTY: [condition: string, reason: string, fix: string][] = [
  ['(select rolsuper or rolcreaterole or rolreplication or rolbypassrls from pg_roles where rolname = $1::name)', 'it is a superuser, or may make roles, replicate or pass by row security', 'use a role that may do nothing'],
  [`exists (select from pg_roles r where (r.rolsuper or r.rolcreaterole or r.rolreplication or r.rolname in ('pg_read_all_data', 'pg_write_all_data', 'pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program')) and r.rolname <> $1::name and pg_has_role($1::name, r.oid, 'member'))`, 'it is a member of a role that may read or do everything', 'take it out of that role (revoke THAT from it), or use another'],
  [`exists (select from pg_roles r join reporting_reader b on b.role = r.rolname where r.rolname <> $1::name and b.tenant <> (select tenant from reporting_reader where role = $1::name) and (pg_has_role($1::name, r.oid, 'member') or pg_has_role(r.oid, $1::name, 'member')))`, 'it and a role that reads as another tenant are members of each other', 'take one out of the other (revoke ROLE from MEMBER)'],
  [`exists (select from pg_class c where c.relkind in ('r', 'p', 'v', 'm') and (c.relowner, c.relnamespace) = (select relowner, relnamespace from pg_class where oid = 'event'::regclass) and (pg_has_role($1::name, c.relowner, 'member') or has_any_column_privilege($1::name, c.oid, 'select, insert, update, references') or has_table_privilege($1::name, c.oid, 'delete, truncate, trigger')))`, 'it may read or write tables of Foothold themselves', 'take that from it (revoke all on all tables in schema public from the role, or from public), or use another role'],
  [`has_schema_privilege($1::name, (select relnamespace from pg_class where oid = 'event'::regclass), 'create') or has_schema_privilege($1::name, '${SCHEMA}', 'create') or has_database_privilege($1::name, current_database(), 'create')`, 'it may make tables or functions where Foothold looks for its own', 'take that from it, or from everybody: revoke create on schema public from public; revoke create on database (its name) from (the role)'],
];

async function refuseMighty(client: PoolClient, role: string): Promise<void> {
  for (const [condition, reason, fix] of MIGHTY) {
    const { rows: [found] } = await client.query<{ is: boolean }>(`select ${condition} as is`, [role]);
    if (found!.is) throw new Conflicting('role', reason, fix);
  }
}

/**
 * Ends what bindRole let a role do.
 * @throws Unknown where it is not bound to this tenant
 */
export async function unbindRole(database: Database, tenant: string, role: string): Promise<void> {
  await database.transaction(async (client) => {
    const { rows } = await client.query('delete from reporting_reader where role = $1 and tenant = (select tenant from tenant where name = $2) returning role', [role, tenant]);
    if (rows.length === 0) throw new Unknown('role', `none called "${role}" reads as tenant "${tenant}"`, 'name one that was granted to');
    if ((await client.query('select from pg_roles where rolname = $1', [role])).rows.length === 0) return; // it was dropped
    await client.query(`revoke all on all tables in schema ${SCHEMA} from ${quoted(role)}`);
    await client.query(`revoke all on schema ${SCHEMA} from ${quoted(role)}`);
  });
}
