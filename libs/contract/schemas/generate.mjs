/** Writes the JSON Schema of every usage event beside this file: `npx nest build && node libs/contract/schemas/generate.mjs`. */
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

// Elsewhere built: `node generate.mjs <folder of the compiled sources>`.
const built = process.argv[2] ?? join(import.meta.dirname, '../../../dist/libs/contract/src');
const { EVENT_NAMES } = await import(join(built, 'events.js'));
const { schemaFile, schemaText } = await import(join(built, 'json-schema.js'));

for (const file of readdirSync(import.meta.dirname)) if (file.endsWith('.json')) rmSync(join(import.meta.dirname, file));
for (const name of EVENT_NAMES) writeFileSync(join(import.meta.dirname, schemaFile(name)), schemaText(name));
