/** The package as hosts install it: both module systems, both entries, types for either, and nothing else needed. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { CollectorStub } from '../../../test/support/collector-stub.js';
import { VERSION } from './version.js';

const ROOT = resolve(import.meta.dirname, '../../..');
const TSC = createRequire(import.meta.url).resolve('typescript/bin/tsc');
let host: string;
let installed: string;

const json = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
const text = (file: string) => readFileSync(join(installed, file), 'utf8');

/** A program of the host, run where the package is installed. */
async function run(file: string, program: string, ...args: string[]): Promise<string> {
  writeFileSync(join(host, file), program);
  const { stdout } = await promisify(execFile)(process.execPath, [...args, join(host, file)], { cwd: host, env: { PATH: process.env['PATH'] } });
  return stdout;
}

beforeAll(() => {
  host = mkdtempSync(join(tmpdir(), 'foothold-test-sdk-'));
  installed = join(host, 'node_modules/@foothold/sdk');
  mkdirSync(installed, { recursive: true });
  execFileSync(process.execPath, [join(ROOT, 'libs/sdk/build.mjs'), installed], { stdio: 'pipe' });
});
afterAll(() => rmSync(host, { recursive: true, force: true }));

describe('the package', () => {
  it('has the version of the whole, and needs nothing', () => {
    const { version } = json(join(ROOT, 'package.json'));
    expect([json(join(installed, 'package.json'))['version'], json(join(ROOT, 'libs/sdk/package.json'))['version'], VERSION]).toEqual([version, version, version]);
    expect(Object.keys(json(join(installed, 'package.json'))).filter((key) => /dependencies/i.test(key))).toEqual([]);
    for (const file of ['node.js', 'node.cjs', 'browser.js', 'browser.cjs']) {
      const imports = [...text(file).matchAll(/\b(?:from\s*|require\(|import\(|import\s*)["']([^"'\s]+)["']/g)].map(([, target]) => target!);
      expect([file, imports.filter((target) => !target.startsWith('node:'))]).toEqual([file, []]);
    }
  });

  it('has nothing of Node in its browser entry, which is small', () => {
    for (const file of ['browser.js', 'browser.cjs']) {
      expect(text(file)).not.toMatch(/node:|\bprocess\b|\bBuffer\b|\brequire\(/);
      expect(gzipSync(text(file), { level: 9 }).length).toBeLessThan(13_000);
    }
  });
});

describe('a host', () => {
  const PROGRAM = `
    const foothold = new Foothold({ url: URL_OF, key: 'fhw_k', deployment: 'claims', person: 'jane' });
    foothold.invocation({ id: 'i-1', surface: 'export', initiative: 'person' }).shown({ options: 1 });
    foothold.shutdown().then((done) => console.log(JSON.stringify({ done, ...foothold.stats(), changed: changed('a', 'b'), token: typeof personToken })));
  `;
  const IMPORTS = { 'host.mjs': `import { Foothold, changed, personToken } from '@foothold/sdk';`, 'host.cjs': `const { Foothold, changed, personToken } = require('@foothold/sdk');` };

  it.each(Object.entries(IMPORTS))('%s reports and ends by itself', async (file, imports) => {
    const collector = await CollectorStub.start();
    const answer = await run(file, imports + PROGRAM.replace('URL_OF', JSON.stringify(collector.url)));
    await collector.close();
    expect(JSON.parse(answer)).toEqual({ done: true, queued: 0, delivered: 2, dropped: {}, changed: 1, token: 'function' });
    expect([collector.story.map(([name]) => name), collector.heartbeats.length, collector.refusals]).toEqual([['invocation.started', 'result.shown'], 1, []]);
  });

  it.each([['browser.mjs', IMPORTS['host.mjs']], ['browser.cjs', IMPORTS['host.cjs']]])('that bundles for browsers gets the browser entry (%s)', async (file, imports) => {
    const [names] = /\{ .* \}/.exec(imports)!;
    const ask = imports.replace(names, file.endsWith('mjs') ? '* as sdk' : 'sdk').replace('{ * as sdk }', '* as sdk');
    expect(JSON.parse(await run(file, `${ask}; console.log(JSON.stringify(Object.keys(sdk).sort()));`, '--conditions=browser'))).toEqual(['Foothold', 'changed']);
  });

  describe('that never shuts down', () => {
    const host = (url: string, end = '') => `${IMPORTS['host.mjs']}
      const begin = performance.now();
      process.on('exit', (code) => console.log(JSON.stringify({ code, ms: performance.now() - begin, ...foothold.stats() })));
      const foothold = new Foothold({ url: ${JSON.stringify(url)}, key: 'fhw_k', deployment: 'claims', person: 'jane', flushAfterMs: 60000, onWarning: () => undefined });
      foothold.task({ task: 't', taskKind: 'k' });
      ${end}`;
    const ended = async (file: string, program: string) => JSON.parse(await run(file, program)) as { code: number; ms: number; delivered: number; dropped: object };

    it('sends what waits as its process ends, and confesses what was dropped', async () => {
      const collector = await CollectorStub.start();
      const rest = await ended('ends.mjs', host(collector.url, `foothold.task({ task: 'a b', taskKind: 'k' }); process.on('beforeExit', () => foothold.task({ task: 'last', taskKind: 'k' }));`));
      await collector.close();
      expect(rest).toMatchObject({ code: 0, queued: 0, delivered: 2 });
      expect(collector.events.map(({ data }) => data['task'])).toEqual(['t', 'last']);
      expect(collector.confessed).toEqual({ 'invalid-argument': 1 });
      expect(collector.arrivals).toHaveLength(1);
    });

    it.each([['does not answer', 'no answer'], ['cannot be reached', 'reset']] as const)('is kept alive two seconds at most where the collector %s', async (_, failure) => {
      const collector = await CollectorStub.start();
      collector.fail = () => failure;
      const { code, ms, delivered, dropped } = await ended('kept.mjs', host(collector.url));
      await collector.close();
      expect([code, delivered, dropped]).toEqual([0, 0, { shutdown: 1 }]);
      expect(ms).toBeLessThan(5_000); // two, and what a busy machine needs for the rest
    });

    it('is not kept at all where nothing waits, or once it was shut down', async () => {
      const collector = await CollectorStub.start();
      await ended('flushed.mjs', host(collector.url, 'await foothold.flush();'));
      expect(collector.arrivals).toHaveLength(1);
      const { dropped } = await ended('over.mjs', host(collector.url, `await foothold.shutdown(); foothold.task({ task: 'late', taskKind: 'k' });`));
      await collector.close();
      expect([collector.arrivals.length, dropped]).toEqual([2, { shutdown: 1 }]);
    });
  });

  it('is told by its compiler what is wrong, in either module system, with no types but ours', () => {
    const use = (call: string) => `
      const foothold = new Foothold({ url: 'https://x', key: 'fhw_k', deployment: 'claims', onWarning: ({ kind, message }) => [kind, message] });
      const handle = foothold.as('jane').invocation({ surface: 'in-workflow', initiative: 'person' });
      handle.shown({ options: 2 });
      ${call}
      export const dropped: number | undefined = foothold.stats().dropped['queue-full'];
    `;
    const check = (file: string, imports: string, call: string): string[] => {
      writeFileSync(join(host, file), imports + use(call));
      const { stdout } = spawnSync(process.execPath, [TSC, '--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', '--lib', 'es2022', file], { cwd: host, encoding: 'utf8' });
      return stdout.split('\n').filter(Boolean);
    };
    writeFileSync(join(host, 'package.json'), '{}');
    const imports = `import { Foothold, changed, personToken, type Invocation } from '@foothold/sdk';\n`;
    const good = `const again: Invocation = foothold.resume(handle.headers()); again.accepted({ changed: changed('a', 'b'), time: new Date(), id: 'erp:1' }); personToken({ secret: 'fhs_', person: 'jane' });`;
    expect(check('good.mts', imports, good)).toEqual([]);
    expect(check('good.cts', imports, good)).toEqual([]);
    expect(check('bad.mts', imports, `handle.accepted({ chnaged: 1 });`).join()).toMatch(/'chnaged' does not exist in type 'AcceptedFacts'/);
    expect(check('bad.mts', imports, `handle.say('x');`).join()).toMatch(/Property 'say' does not exist/);
    expect(check('browser.mts', imports.replace('@foothold/sdk', '@foothold/sdk/browser').replace('personToken, ', ''), '')).toEqual([]);
  });
});
