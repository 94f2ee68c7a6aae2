/** Access keys as people make, list and end them. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freshDatabase, type FreshDatabase } from '../../../test/support/database.js';
import { footholdHere } from '../../../test/support/foothold.js';

let database: FreshDatabase;
let folder: string;

beforeAll(async () => {
  database = await freshDatabase();
  folder = mkdtempSync(join(tmpdir(), 'foothold-keys-'));
});
afterAll(async () => {
  await database?.drop();
  rmSync(folder, { recursive: true });
});

const cli = (...args: string[]) => footholdHere(args, { DATABASE_URL: database.url, FOOTHOLD_HOME: folder, FOOTHOLD_PSEUDONYM_KEY: 'ab'.repeat(32) });
const json = async (...args: string[]) => {
  const { code, stdout, stderr } = await cli(...args, '--json');
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout) as Record<string, unknown>;
};

it('makes keys, shows them once, lists them without themselves, and ends them', async () => {
  const write = await json('key', 'create', '--kind', 'write');
  expect(write).toEqual({ id: 1, key: expect.stringMatching(/^fhw_[A-Za-z0-9_-]{43}$/), tenant: 'local', kind: 'write', deployments: null, origins: null, note: null, expires: null });
  const publishable = await json('key', 'create', '--kind', 'publishable', '--tenant', 'acme', '--deployments', 'claims, desk,claims', '--origins', 'https://acme.example,http://localhost:3000', '--expires', '2254-01-01', '--note', 'the web shop');
  expect(publishable).toEqual({
    id: 2, key: expect.stringMatching(/^fhp_[A-Za-z0-9_-]{43}$/), personSecret: expect.stringMatching(/^fhs_[A-Za-z0-9_-]{43}$/), tenant: 'acme', kind: 'publishable',
    deployments: ['claims', 'desk'], origins: ['https://acme.example', 'http://localhost:3000'], note: 'the web shop', expires: '2254-01-01T00:00:00.000Z',
  });
  expect(await json('key', 'revoke', '2', '--tenant', 'acme')).toEqual({ id: 2, tenant: 'acme', revoked: true });

  const listed = await cli('key', 'list', '--tenant', 'acme', '--json');
  expect(JSON.parse(listed.stdout)).toEqual([{
    id: 2, kind: 'publishable', hint: expect.stringMatching(/^fhp_.{4}….{4}$/), note: 'the web shop', deployments: ['claims', 'desk'], origins: ['https://acme.example', 'http://localhost:3000'],
    created: expect.any(String), expires: '2254-01-01T00:00:00Z', revoked: expect.any(String),
  }]);
  const prose = await cli('key', 'list', '--tenant', 'acme');
  expect(prose.stdout).toContain('claims,desk');
  for (const secret of [publishable['key'], publishable['personSecret']] as string[]) expect(listed.stdout + prose.stdout).not.toContain(secret.slice(8, -4));
  expect((await cli('key', 'list', '--tenant', 'nobody')).stdout).toBe('no keys\n');
});

it('says in words that a key is shown this once', async () => {
  const { stdout } = await cli('key', 'create', '--kind', 'publishable');
  expect(stdout).toMatch(/^key \d+: fhp_\S+\nperson secret: fhs_\S+ \(for your backend alone: it signs who the person is\)\nKeep it now: it cannot be shown again\.\n$/);
});

it('says of a key that is not there, or is another tenant’s, how to find its number', async () => {
  for (const args of [['99'], ['1', '--tenant', 'acme']]) {
    const { code, stdout, stderr } = await cli('key', 'revoke', ...args);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^foothold: key: tenant "\w+" has no key \d+\. see the numbers of its keys: foothold key list\n$/);
  }
});
