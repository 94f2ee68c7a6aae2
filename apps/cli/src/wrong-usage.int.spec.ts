/**
 * Every flag and argument of every command, given what it must not be, and every setting as the processes meet it: the
 * exit code says whose fault it is, stderr names what and how to mend it, stdout stays empty. No database is there: what
 * is refused is refused before one is opened. Most run in this process, one of each kind as a process of its own.
 */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { footholdHere, footholds, type Ended } from '../../../test/support/foothold.js';

const NOWHERE: Record<string, string> = { DATABASE_URL: 'postgres://nobody:nothing@127.0.0.1:1/none', FOOTHOLD_HOME: '/nonexistent/foothold', FOOTHOLD_PSEUDONYM_KEY: 'ab'.repeat(32) };
const coverage = ['metrics', 'claims', 'adoption.coverage'];
const register = ['deployment', 'register', 'claims'];
const create = ['key', 'create', '--kind', 'write'];
const publish = ['key', 'create', '--kind', 'publishable'];

/** [what, command, what stderr names, part of the fix] */
const FLAGS: [string, string[], string, string][] = [
  ['no command', [], 'Usage: foothold', 'Commands:'],
  ['an unknown command', ['metric'], "unknown command 'metric'", '(Did you mean metrics?)'],
  ['an unknown command with an escape sequence', ['\u001b[31mx'], "unknown command '\\u001b[31mx'", 'foothold --help'],
  ['an unknown flag of all', ['--verbose'], "unknown option '--verbose'", 'foothold --help'],

  ['metrics: no deployment', ['metrics'], 'deployment: is missing', 'foothold metrics DEPLOYMENT METRIC'],
  ['metrics: no metric', ['metrics', 'claims'], 'metric: is missing', 'foothold metrics --list'],
  ['metrics: one argument too many', [...coverage, 'x'], "too many arguments for 'metrics'", 'foothold COMMAND --help'],
  ['metrics: an unknown flag', [...coverage, '--since', '2026-01-01'], "unknown option '--since'", 'foothold COMMAND --help'],
  ['metrics: a flag mistyped', [...coverage, '--gran', 'day'], "unknown option '--gran'", '(Did you mean --grain?)'],
  ['metrics: a flag without value', [...coverage, '--grain'], "option '--grain <grain>' argument missing", 'foothold COMMAND --help'],
  ['metrics: an unknown metric', ['metrics', 'claims', 'adoption.use'], 'metric: there is no metric "adoption.use"', 'choose one of adoption.enabled, adoption.activated'],
  ['metrics: a method’s name for a metric', ['metrics', 'claims', 'constructor'], 'metric: there is no metric "constructor"', 'choose one of'],
  ['metrics: an escape sequence for a metric', ['metrics', 'claims', '\u001b]0;owned\u0007'], 'there is no metric "\\u001b]0;owned\\u0007"', 'choose one of'],
  ['metrics: a deployment with a slash', ['metrics', 'a/b', 'adoption.coverage'], 'deployment: a text of 3 characters', 'use 1-64 letters, digits'],
  ['metrics: a deployment for the shell', ['metrics', '$(reboot)', 'adoption.coverage'], 'deployment: a text of 9 characters', 'use 1-64 letters, digits'],
  ['metrics: an empty deployment', ['metrics', '', 'adoption.coverage'], 'deployment: a text of 0 characters', 'use 1-64 letters, digits'],
  ['metrics: an unknown grain', [...coverage, '--grain', 'year'], '--grain: "year" is no grain', 'choose one of day, week, month, all'],
  ['metrics: a grain the metric does not have', ['metrics', 'claims', 'adoption.active_people', '--grain', 'month'], '--grain: adoption.active_people has no grain month', 'choose one of day, week'],
  ['metrics: a day that does not exist', [...coverage, '--from', '2026-02-30'], '--from: "2026-02-30" is no day', 'YYYY-MM-DD'],
  ['metrics: an hour for a day', [...coverage, '--to', '2026-02-03T00:00:00Z'], '--to: "2026-02-03T00:00:00Z" is no day', 'YYYY-MM-DD'],
  ['metrics: a day before any calendar', [...coverage, '--from', '0000-01-01'], '--from: "0000-01-01" is no day', 'YYYY-MM-DD'],
  ['metrics: a day with SQL', [...coverage, '--from', "2026-01-01'; drop table event; --"], '--from: ', 'YYYY-MM-DD'],
  ['metrics: from after to', [...coverage, '--from', '2026-02-02', '--to', '2026-02-01'], '--from: 2026-02-02 is after 2026-02-01', 'the earlier day as from'],
  ['metrics: an unknown dimension', [...coverage, '--by', 'colour'], '--by: adoption.coverage has no dimension "colour"', 'choose from team, role, task_kind'],
  ['metrics: a dimension the metric does not have', [...coverage, '--by', 'task_kind,surface'], '--by: adoption.coverage has no dimension "surface"', 'choose from team, role, task_kind'],
  ['metrics: a column for a dimension', ['metrics', 'claims', 'trust.acceptance', '--by', 'person'], 'has no dimension "person"', 'choose from team, role, task_kind, surface'],
  ['metrics: a dimension twice', [...coverage, '--by', 'task_kind,task_kind'], '--by: a dimension is named twice', 'name each dimension once'],
  ['metrics: two forms at once', [...coverage, '--csv', '--json'], '--csv: an answer is JSON or CSV', 'leave out one of --json and --csv'],
  ['metrics: an unknown locale', [...coverage, '--csv', '--locale', 'xx-YY'], '--locale: not the name of a locale that is known here', 'nb-NO, de-DE or en-GB'],
  ['metrics: a locale as Unix writes it', [...coverage, '--csv', '--locale', 'nb_NO.UTF-8'], '--locale: not the name of a locale', 'nb-NO, de-DE or en-GB'],
  ['metrics: a locale of no CSV', [...coverage, '--locale', 'nb-NO'], '--locale: only CSV is written for a locale', 'add --csv, or leave it out'],
  ['metrics: an explanation of none', ['metrics', '--explain', 'adoption.use'], '--explain: there is no metric "adoption.use"', 'choose one of adoption.enabled, adoption.activated'],
  ['metrics: an explanation as CSV', ['metrics', '--explain', 'adoption.rate', '--csv'], '--csv: an explanation is no table', 'leave it out'],
  ['metrics: a tenant with a dot', [...coverage, '--tenant', 'acme.eu'], '--tenant: a text of 7 characters', 'use 1-63 of a-z'],

  ['reporting: nothing', ['reporting'], 'Usage: foothold reporting', 'grant'],
  ['reporting: a deployment with a slash', ['reporting', 'refresh', 'a/b'], 'deployment: a text of 3 characters', 'use 1-64 letters, digits'],
  ['reporting: a tenant with a dot', ['reporting', 'refresh', '--tenant', 'acme.eu'], '--tenant: a text of 7 characters', 'use 1-63 of a-z'],
  ['reporting: no role', ['reporting', 'grant'], "missing required argument 'role'", 'foothold COMMAND --help'],
  ['reporting: everybody for a role', ['reporting', 'grant', 'public'], 'role: a text of 6 characters', 'such as analyst_acme'],
  ['reporting: a role of Postgres itself', ['reporting', 'grant', 'pg_read_all_data'], 'role: a text of 16 characters', 'not with pg_'],
  ['reporting: a role of 64 characters', ['reporting', 'revoke', 'x'.repeat(64)], 'role: a text of 64 characters', 'up to 63'],
  ['reporting: a line feed in a role', ['reporting', 'revoke', 'a\nb'], 'role: a text of 3 characters', 'up to 63'],
  ['reporting: a password as a flag', ['reporting', 'grant', 'analyst', '--password', 'x'], "unknown option '--password'", 'foothold COMMAND --help'],

  ['tail: no deployment', ['tail'], "missing required argument 'deployment'", 'foothold COMMAND --help'],
  ['tail: a deployment with a slash', ['tail', 'a/b'], 'deployment: a text of 3 characters', 'use 1-64 letters, digits'],
  ['tail: a span without unit', ['tail', 'claims', '--since', '10'], '--since: "10" is no span of time', '90s, 10m, 2h or 3d'],
  ['tail: a span that reaches into the future', ['tail', 'claims', '--since', '-10m'], '--since: "-10m" is no span of time', '90s, 10m, 2h or 3d'],
  ['tail: a day for a span', ['tail', 'claims', '--since', '2026-01-05'], '--since: "2026-01-05" is no span of time', '90s, 10m, 2h or 3d'],
  ['tail: a tenant with a dot', ['tail', 'claims', '--tenant', 'acme.eu'], '--tenant: a text of 7 characters', 'use 1-63 of a-z'],

  ['deployment: nothing', ['deployment'], 'Usage: foothold deployment', 'register'],
  ['deployment: an unknown command', ['deployment', 'remove', 'claims'], "unknown command 'remove'", 'foothold COMMAND --help'],
  ['register: no id', ['deployment', 'register'], "missing required argument 'id'", 'foothold COMMAND --help'],
  ['register: an id with white space', ['deployment', 'register', 'my claims'], 'id: a text of 9 characters', 'use 1-64 letters, digits'],
  ['register: an id of 65 characters', ['deployment', 'register', 'x'.repeat(65)], 'id: a text of 65 characters', 'use 1-64 letters, digits'],
  ['register: an e-mail address', ['deployment', 'register', 'jane@acme.com'], 'id: a text of 13 characters', 'use 1-64 letters, digits'],
  ['register: an id and a line feed', ['deployment', 'register', 'claims\n'], 'id: a text of 7 characters', 'use 1-64 letters, digits'],
  ['register: an unknown time zone', [...register, '--time-zone', 'Mars/Olympus'], '--time-zone: "Mars/Olympus" is no IANA time zone', 'Europe/Oslo or UTC'],
  ['register: an offset for a time zone', [...register, '--time-zone', '+01:00'], '--time-zone: "+01:00" is no IANA time zone', 'Europe/Oslo or UTC'],
  ['register: a country’s name', [...register, '--country', 'Norway'], '--country: "Norway" is no country code', 'two capital letters'],
  ['register: a country in small letters', [...register, '--country', 'no'], '--country: "no" is no country code', 'two capital letters'],
  ['register: a target above one', [...register, '--target', '40'], '--target: "40" is no share', 'above 0 and up to 1'],
  ['register: no target', [...register, '--target', '0'], '--target: "0" is no share', 'above 0 and up to 1'],
  ['register: a target in another notation', [...register, '--target', '0x1'], '--target: "0x1" is no share', 'above 0 and up to 1'],
  ['register: a pilot’s start that does not exist', [...register, '--pilot-start', '2026-02-29'], '--pilot-start: "2026-02-29" is no day', 'YYYY-MM-DD'],
  ['register: a word for a handoff', [...register, '--handoff', 'soon'], '--handoff: "soon" is no day', 'YYYY-MM-DD'],
  ['register: a handoff before the pilot', [...register, '--pilot-start', '2026-03-01', '--handoff', '2026-02-01'], '--handoff: 2026-02-01 is before', 'the later day'],
  ['register: a sandbox handed off', [...register, '--sandbox', '--handoff', '2026-02-01'], '--handoff: a sandbox', 'leave out one of the two'],
  ['register: an empty kind of task', [...register, '--task-kinds', 'triage,,letter'], '--task-kinds: one of the kinds', 'separated by commas'],
  ['register: a sentence for a kind of task', [...register, '--task-kinds', 'triage,a long letter'], '--task-kinds: one of the kinds', 'separated by commas'],
  ['register: a tenant in capitals', [...register, '--tenant', 'ACME'], '--tenant: a text of 4 characters', 'use 1-63 of a-z'],
  ['register: an unknown flag', [...register, '--owner', 'x'], "unknown option '--owner'", 'foothold COMMAND --help'],
  ['agree: no people', ['deployment', 'agree', 'claims'], "required option '--people <number>' not specified", 'foothold COMMAND --help'],
  ['agree: a word for people', ['deployment', 'agree', 'claims', '--people', 'many'], '--people: "many" is no number of people', 'write a whole number, 5 or more'],
  ['agree: a part of a person', ['deployment', 'agree', 'claims', '--people', '7.5'], '--people: "7.5" is no number of people', 'write a whole number, 5 or more'],

  ['import: no file', ['import'], "missing required argument 'file'", 'foothold COMMAND --help'],
  ['import: two files', ['import', 'a', 'b'], "too many arguments for 'import'", 'foothold COMMAND --help'],
  ['import: an unknown flag', ['import', 'a', '--force'], "unknown option '--force'", 'foothold COMMAND --help'],
  ['import: a path for a tenant', ['import', 'a', '--tenant', '../etc'], '--tenant: a text of 6 characters', 'use 1-63 of a-z'],

  ['verify: an argument', ['verify', 'claims'], "too many arguments for 'verify'", 'foothold COMMAND --help'],
  ['verify: an unknown flag', ['verify', '--fix'], "unknown option '--fix'", 'foothold COMMAND --help'],
  ['verify: an empty tenant', ['verify', '--tenant', ''], '--tenant: a text of 0 characters', 'use 1-63 of a-z'],
  ['dead-letters: nothing', ['dead-letters'], 'Usage: foothold dead-letters', 'list'],
  ['dead-letters: an unknown command', ['dead-letters', 'purge'], "unknown command 'purge'", 'foothold COMMAND --help'],
  ['dead-letters: an unknown flag', ['dead-letters', 'list', '--all'], "unknown option '--all'", 'foothold COMMAND --help'],
  ['dead-letters: a prototype for a tenant', ['dead-letters', 'list', '--tenant', '__proto__'], '--tenant: a text of 9 characters', 'use 1-63 of a-z'],
  ['dead-letters show: no id', ['dead-letters', 'show'], "missing required argument 'id'", 'foothold COMMAND --help'],
  ['dead-letters show: the id of an event', ['dead-letters', 'show', 'erp:4711'], 'id: a text of 8 characters', 'foothold dead-letters list'],
  ['dead-letters redrive: an id that is none', ['dead-letters', 'redrive', '--id', '0'], '--id: a text of 1 characters', 'foothold dead-letters list'],
  ['dead-letters redrive: an unknown kind', ['dead-letters', 'redrive', '--kind', 'duplicate'], '--kind: there is none', 'use rejected or quarantined'],
  ['dead-letters redrive: a deployment with a slash', ['dead-letters', 'redrive', '--deployment', 'a/b'], '--deployment: a text of 3 characters', '1 to 64 letters'],
  ['dead-letters expire: no days', ['dead-letters', 'expire', '--older-than', '0'], '--older-than: "0" is no number of days', 'from 1 to 3650'],
  ['dead-letters expire: a day', ['dead-letters', 'expire', '--older-than', '2026-01-01'], '--older-than: "2026-01-01" is no number of days', 'from 1 to 3650'],
  ['key: nothing', ['key'], 'Usage: foothold key', 'create'],
  ['key create: no kind', ['key', 'create'], "required option '--kind <kind>' not specified", 'foothold COMMAND --help'],
  ['key create: an unknown kind', ['key', 'create', '--kind', 'admin'], '--kind: "admin" is no kind of key', 'choose one of write, publishable, read'],
  ['key create: a deployment with a slash', [...create, '--deployments', 'claims,a/b'], '--deployments: entry 2 is no deployment’s id', 'use 1-64 letters, digits'],
  ['key create: no deployment', [...create, '--deployments', ''], '--deployments: entry 1 is no deployment’s id', 'use 1-64 letters, digits'],
  ['key create: origins of a secret key', [...create, '--origins', 'https://acme.example'], '--origins: a write key is secret', 'make a publishable key'],
  ['key create: every origin', [...publish, '--origins', '*'], '--origins: entry 1 is no web origin', 'leave the flag out for any'],
  ['key create: an origin with a path', [...publish, '--origins', 'https://acme.example/shop'], '--origins: entry 1 is no web origin', 'https://app.example.com'],
  ['key create: an origin with a slash', [...publish, '--origins', 'http://localhost:3000,https://acme.example/'], '--origins: entry 2 is no web origin', 'https://app.example.com'],
  ['key create: an origin in capitals', [...publish, '--origins', 'https://ACME.example'], '--origins: entry 1 is no web origin', 'https://app.example.com'],
  ['key create: an origin without a scheme', [...publish, '--origins', 'acme.example'], '--origins: entry 1 is no web origin', 'https://app.example.com'],
  ['key create: a script for an origin', [...publish, '--origins', 'javascript:alert(1)'], '--origins: entry 1 is no web origin', 'https://app.example.com'],
  ['key create: a day that does not exist', [...create, '--expires', '2027-02-30'], '--expires: "2027-02-30" is no day', 'YYYY-MM-DD'],
  ['key create: a day gone by', [...create, '--expires', '2020-01-01'], '--expires: 2020-01-01 has come already', 'a day to come'],
  ['key create: an empty note', [...create, '--note', ''], '--note: a text of 0 characters', '1 to 200 characters'],
  ['key create: a note with an escape sequence', [...create, '--note', '\u001b[31m'], '--note: a text of 5 characters', '1 to 200 characters'],
  ['key create: a tenant in capitals', [...create, '--tenant', 'ACME'], '--tenant: a text of 4 characters', 'use 1-63 of a-z'],
  ['key list: an argument', ['key', 'list', '1'], "too many arguments for 'list'", 'foothold COMMAND --help'],
  ['key revoke: no number', ['key', 'revoke'], "missing required argument 'id'", 'foothold COMMAND --help'],
  ['key revoke: the key itself', ['key', 'revoke', 'fhw_abc'], 'id: a text of 7 characters', 'foothold key list'],
  ['doctor: an argument', ['doctor', 'kafka'], "too many arguments for 'doctor'", 'foothold COMMAND --help'],
  ['doctor: an unknown flag', ['doctor', '--repair'], "unknown option '--repair'", 'foothold COMMAND --help'],
  ['serve: an argument', ['serve', 'recorder'], "too many arguments for 'serve'", 'foothold COMMAND --help'],
  ['serve: an unknown flag', ['serve', '--port', '1'], "unknown option '--port'", 'foothold COMMAND --help'],
];

/** These need a process: the roles are another program's to read. */
const PROCESSES: typeof FLAGS = [
  ['serve: an unknown role', ['serve', '--roles', 'recorder,scribe'], '--roles: there is no role "scribe"', 'Choose from collector, recorder, projector, sentinel, api'],
  ['serve: no role', ['serve', '--roles', ''], '--roles: there is no role ""', 'Choose from collector, recorder, projector, sentinel, api'],
  ['serve: a flag of its own', ['serve', '--roles=recorder', '--roles=scribe'], '--roles: there is no role "scribe"', 'Choose from collector, recorder, projector, sentinel, api'],
  ['a process: an unknown command', ['metric'], "unknown command 'metric'", '(Did you mean metrics?)'],
  ['a process: an unknown metric', ['metrics', 'claims', 'adoption.use'], 'metric: there is no metric "adoption.use"', 'choose one of'],
  ['a process: an escape sequence', ['metrics', 'claims', '\u001b]0;owned\u0007'], 'there is no metric "\\u001b]0;owned\\u0007"', 'choose one of'],
  ['a process: a tenant with a dot', ['verify', '--tenant', 'acme.eu'], '--tenant: a text of 7 characters', 'use 1-63 of a-z'],
];

function expectWrongUsage({ code, stdout, stderr }: Ended, named: string, fix: string): void {
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain(named);
  expect(stderr).toContain(fix);
  expect(stderr).not.toMatch(/[\0-\x09\x0b-\x1f\x7f-\x9f]|\n {4}at /); // nothing a terminal acts on, no stack
}

describe('wrong usage', () => {
  it.each(FLAGS)('%s', async (_what, args, named, fix) => {
    expectWrongUsage(await footholdHere(args, NOWHERE), named, fix);
  });
});

describe('wrong usage of processes', () => {
  let ended: Ended[];
  beforeAll(async () => {
    ended = await footholds(PROCESSES.map(([, args]) => ({ args, settings: NOWHERE })));
  });

  it.each(PROCESSES.map(([what, , named, fix], i) => [what, i, named, fix] as const))('%s', (_what, i, named, fix) => {
    expectWrongUsage(ended[i]!, named, fix);
  });
});

const SECRET = 's3cretX';
/** One wrong value of every setting; all kinds of wrong ones are in the specs of the configuration. */
const SETTINGS: [name: string, value: string, fix: string][] = [
  ['DATABASE_URL', `postgres://u:%ZZ${SECRET}@127.0.0.1:1/db`, 'postgres://user:password@host:5432/database'],
  ['FOOTHOLD_PSEUDONYM_KEY', `${SECRET}${'a'.repeat(57)}`, 'openssl rand -hex 32'],
  ['KAFKA_BROKERS', `${SECRET}:65536`, 'kafka-1:9092,kafka-2:9092'],
  ['KAFKA_PREFIX', `${SECRET}.eu`, 'without dots'],
  ['FOOTHOLD_LOG_LEVEL', SECRET, 'debug, info, warn or error'],
  ['OTEL_EXPORTER_OTLP_ENDPOINT', `http://u:${SECRET}@:x`, 'http://localhost:4318'],
];

describe('wrong settings', () => {
  /** Commands that open a session, the processes, and doctor, which says it as an answer. */
  const COMMANDS = [['verify', '--json'], ['serve', '--roles', 'recorder'], ['doctor', '--json']];
  let ended: Ended[];
  beforeAll(async () => {
    ended = await footholds(SETTINGS.flatMap(([name, value]) => COMMANDS.map((args) => ({ args, settings: { ...NOWHERE, [name]: value } }))));
  });

  it.each(SETTINGS.map(([name, value, fix], i) => [name, i * COMMANDS.length, value, fix] as const))('%s', (name, first, value, fix) => {
    const [verify, serve, doctor] = ended.slice(first, first + COMMANDS.length) as [Ended, Ended, Ended];
    expect([verify.code, verify.stdout, serve.code, serve.stdout, doctor.code]).toEqual([1, '', 1, '', 1]);
    expect(verify.stderr).toContain(`foothold: ${name}: `);
    expect(verify.stderr).toContain(fix);
    const logged = serve.stderr.trim().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(logged).toContainEqual(expect.objectContaining({ field: name, fix: expect.stringContaining(fix) }));
    const { ok, checks } = JSON.parse(doctor.stdout) as { ok: boolean; checks: { ok: boolean; detail: string; fix: string }[] };
    expect(ok).toBe(false);
    expect(checks.filter((check) => !check.ok)).toContainEqual({ name: expect.anything(), ok: false, detail: expect.stringContaining(name), fix: expect.stringContaining(fix) });
    for (const said of [verify, serve, doctor]) {
      expect(said.stdout + said.stderr).not.toContain(value);
      expect(said.stdout + said.stderr).not.toMatch(new RegExp(SECRET, 'i'));
    }
  });

  it('a database that is not there', async () => {
    const [closed, unknown] = await footholds([`postgres://u:${SECRET}@127.0.0.1:1/db`, `postgres://u:${SECRET}@nowhere.invalid/db`].map((url) => ({ args: ['verify', '--json'], settings: { ...NOWHERE, DATABASE_URL: url } })));
    for (const { code, stdout, stderr } of [closed!, unknown!]) {
      expect([code, stdout]).toEqual([1, '']);
      expect(stderr).toMatch(/^foothold: DATABASE_URL: the database cannot be reached: .*check host, port, user, password and database name/);
      expect(stderr).not.toContain(SECRET);
    }
  });

  it('a folder nobody can write to', async () => {
    const [embedded, keyless] = await footholds([
      { args: ['verify', '--json'], settings: { FOOTHOLD_HOME: '/dev/null', FOOTHOLD_PSEUDONYM_KEY: 'ab'.repeat(32) } },
      { args: ['doctor', '--json'], settings: { FOOTHOLD_HOME: '/dev/null', DATABASE_URL: 'postgres://nobody:nothing@127.0.0.1:1/none' } },
    ]);
    expect(embedded).toEqual({ code: 1, stdout: '', stderr: expect.stringMatching(/^foothold: FOOTHOLD_HOME: .*name a folder in which this process may write/) });
    expect(keyless!.code).toBe(1);
    expect((JSON.parse(keyless!.stdout) as { checks: unknown[] }).checks).toContainEqual({ name: 'configuration', ok: false, detail: expect.stringContaining('FOOTHOLD_HOME'), fix: expect.stringContaining('FOOTHOLD_PSEUDONYM_KEY') });
  });
});
