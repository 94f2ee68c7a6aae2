/** Who may import whom. The shape of the house: apps stand on libs, libs on the few below them, and nobody on a neighbour. */
import { describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '..');

/**
 * Our own libraries and the outside packages each place may use; node: builtins are free everywhere but in the pure ones,
 * or in the files named. The published SDK needs nothing of ours: its examples, and they only, import it as a host does.
 */
const RULES: Record<string, { ours: string[]; packages: RegExp; builtins: boolean | RegExp }> = {
  'libs/contract': { ours: [], packages: /^typebox/, builtins: true },
  'libs/statistics': { ours: [], packages: /^$/, builtins: false },
  'libs/platform': { ours: ['contract'], packages: /./, builtins: true },
  'libs/event-log': { ours: ['contract', 'platform'], packages: /^(pg|pg-copy-streams)$/, builtins: true },
  'libs/adoption': { ours: ['contract', 'event-log', 'statistics', 'platform:type'], packages: /^date-holidays$/, builtins: false },
  'libs/sdk': { ours: [], packages: /^$/, builtins: /src\/(node|person-token)\.ts$/ },
  'apps/collector': { ours: ['contract', 'event-log', 'adoption', 'platform'], packages: /^(@nestjs\/(common|core)|@opentelemetry\/api|fastify|kafkajs)$/, builtins: true },
  'apps/recorder': { ours: ['contract', 'event-log', 'adoption', 'platform'], packages: /^(@nestjs\/common|kafkajs)$/, builtins: true },
  'apps/projector': { ours: ['contract', 'event-log', 'adoption', 'platform'], packages: /^@nestjs\/common$/, builtins: true },
  'apps/sentinel': { ours: ['event-log', 'adoption', 'platform'], packages: /^@nestjs\/common$/, builtins: true },
  'apps/api': { ours: ['contract', 'event-log', 'adoption', 'platform'], packages: /^(@nestjs\/(common|core|cqrs)|fastify|rxjs|typebox|swagger-ui-dist)$/, builtins: true },
  'apps/standalone': { ours: ['contract', 'event-log', 'adoption', 'platform', 'sdk', 'apps'], packages: /^(@nestjs\/common|cli-progress)$/, builtins: true },
  'apps/cli': { ours: ['contract', 'event-log', 'adoption', 'platform'], packages: /^(commander|cli-progress|kafkajs)$/, builtins: true },
};

const TOP_LEVEL = ['apps', 'libs', 'deploy', 'test'];

interface Import {
  file: string;
  target: string;
  type: boolean;
}

function sources(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => join(folder, file));
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  return [...text.matchAll(/(?:^|\n)\s*(?:import|export)\s+((?:type\s+)?[^'";]*?\sfrom\s+)?['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]/g)].map((found) => {
    const names = /\{([^}]*)\}/.exec(found[1] ?? '')?.[1]?.split(',').map((name) => name.trim()).filter(Boolean);
    const type = /^type\s/.test(found[1] ?? '') || (names !== undefined && names.length > 0 && names.every((name) => name.startsWith('type ')));
    return { file, target: (found[2] ?? found[3])!, type };
  });
}

function broken(place: string, { file, target, type }: Import): string | undefined {
  const rule = RULES[place]!;
  const spec = /\.spec\.ts$/.test(file);
  const refuse = (why: string) => `${file} imports ${target}: ${why}`;
  if (target.startsWith('.')) {
    const inside = relative(ROOT, resolve(ROOT, file, '..', target));
    if (inside.startsWith(`${place}/`) || (spec && inside.startsWith('test/'))) return undefined;
    return rule.ours.includes('apps') && inside.startsWith('apps/') ? undefined : refuse(`a path out of ${place}`);
  }
  if (target.startsWith('node:')) return spec || (rule.builtins instanceof RegExp ? rule.builtins.test(file) : rule.builtins) ? undefined : refuse('a pure library knows no machine');
  if (spec) return undefined;
  const ours = /^@foothold\/([^/]+)(\/.*)?$/.exec(target);
  if (!ours) return rule.packages.test(target) ? undefined : refuse('not a package this place may know');
  if (file.startsWith('libs/sdk/examples/') && target === '@foothold/sdk') return undefined;
  if (ours[2]) return refuse('a path past the library’s entry');
  if (rule.ours.includes(ours[1]!)) return undefined;
  return type && rule.ours.includes(`${ours[1]}:type`) ? undefined : refuse('not below it');
}

describe('boundaries', () => {
  const places = ['apps', 'libs'].flatMap((top) => readdirSync(join(ROOT, top)).map((name) => `${top}/${name}`));

  it('has a rule for every place', () => {
    expect(places.filter((place) => !(place in RULES))).toEqual([]);
  });

  it.each(places)('%s imports only what stands below it', (place) => {
    const imports = sources(place).flatMap(importsOf);
    expect(imports.length).toBeGreaterThan(0);
    expect(imports.map((found) => broken(place, found)).filter(Boolean)).toEqual([]);
  });

  it('sees what breaks a rule', () => {
    const at = (file: string, target: string, type = false) => broken(file.split('/').slice(0, 2).join('/'), { file, target, type });
    expect(at('libs/adoption/src/a.ts', 'pg')).toBeDefined();
    expect(at('libs/adoption/src/a.ts', '@foothold/platform')).toBeDefined();
    expect(at('libs/adoption/src/a.ts', '@foothold/platform', true)).toBeUndefined();
    expect(at('libs/adoption/src/a.ts', 'node:fs')).toBeDefined();
    expect(at('libs/sdk/src/sender.ts', 'node:fs')).toBeDefined();
    expect(at('libs/sdk/src/node.ts', 'node:zlib')).toBeUndefined();
    expect(at('libs/sdk/src/a.ts', '@foothold/contract')).toBeDefined();
    expect(at('apps/cli/src/a.ts', '../../recorder/src/recorder.js')).toBeDefined();
    expect(at('libs/event-log/src/a.ts', '@foothold/adoption')).toBeDefined();
    expect(at('apps/cli/src/a.ts', '@foothold/event-log/src/append.js')).toBeDefined();
  });

  it('has no top-level folder beyond the four', () => {
    const folders = readdirSync(ROOT, { withFileTypes: true }).filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && !['node_modules', 'dist'].includes(entry.name));
    expect(folders.map((entry) => entry.name).sort()).toEqual([...TOP_LEVEL].sort());
  });

  it('no place is called common, shared or utils', () => {
    const files = places.flatMap(sources);
    expect(files.filter((file) => /(^|\/)(common|shared|utils?|helpers?)(\/|\.ts$)/.test(file))).toEqual([]);
  });
});
