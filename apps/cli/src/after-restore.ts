/**
 * What `foothold doctor --after-restore` answers, before anything is started again after a loss of the database, of Kafka or
 * of both: to which moment the log reaches, what Kafka still has behind it, what is gone, what people must decide anew.
 * deploy/recovery.md says what to do with each answer. A check is not ok where something is gone or somebody must look.
 */
import { usageProjection } from '@foothold/adoption';
import { lastReading, openDirectOrigins, openReadings, reach, staleNumbering, strayCheckpoints, type KafkaOrigin } from '@foothold/event-log';
import { Keys, retireStatement, skipStatement, startAnewStatement, type Database } from '@foothold/platform';
import { type Admin } from 'kafkajs';
import { fine, judged, type Check } from './check.js';
import { type Standing, type StandingPartition } from './doctor-kafka.js';

const DAY_MS = 86_400_000;
/** Where the stamps of Kafka's records are looked for when nothing is known: the beginning of 2020. */
const EARLIEST_MS = 1_577_836_800_000;

/** What the database alone can say. */
export async function databaseAfterRestore(database: Database): Promise<Check[]> {
  const { events, last, facts, lastFact } = await reach(database);
  return [
    fine('log', last === null ? 'it holds no event' : `it holds ${events} events, the last received at ${last}`),
    fine('decisions', lastFact === null ? 'no deployment is registered: register them again' : `${facts} facts about deployments are held, the last of ${lastFact}: what was registered or changed after that is to be done again`),
    await directWays(database, last),
    await readings(database),
    await keys(database, last),
    await checkpoints(database),
    await numbering(database),
  ];
}

async function directWays(database: Database, last: string | null): Promise<Check> {
  const { ever, open } = await openDirectOrigins(database);
  if (open.length === 0) return fine('direct ways in', ever === 0 ? 'no collector without Kafka ever wrote into this log' : `none was open then; what one took that began after ${last} is gone`);
  const ways = open.map(({ name, openedAt, seen, received }) => `${name}, open since ${openedAt}: its ${received} records up to ${seen} are held, what it took after that and is not in the log is gone`);
  return judged('direct ways in', false, ways.join('; '), 'nothing here has it: let hosts that can send the time since then again, with the same ids (what is held is recognised)');
}

async function readings(database: Database): Promise<Check> {
  const open = await openReadings(database, 'infinity');
  const finished = await lastReading(database);
  const later = finished ? `the last file read to its end then was ${finished.name}, at ${finished.finishedAt}: import again what was imported after it` : 'no file had been read to its end: import again what was imported since';
  const begun = open.map(({ name, lines, openedAt }) => `${name}, begun at ${openedAt}, after ${lines} lines`);
  return judged('imports since', open.length === 0, open.length === 0 ? later : `unfinished: ${begun.join('; ')}; ${later}`, 'import the same files again: each goes on where it stood, and what is held is recognised');
}

async function keys(database: Database, last: string | null): Promise<Check> {
  const counting = await new Keys(database).counting();
  if (counting.length === 0) return fine('keys', 'none counts: make those again that were made since');
  const listed = counting.map(({ id, tenant, kind, hint, note, created }) => `${id} of ${tenant} (${kind}, ${hint}, made ${created}${note === null ? '' : `, ${note}`})`);
  return judged('keys', false, `THESE COUNT, even those that were revoked after ${last ?? 'the moment of the backup'}: ${listed.join('; ')}`, 'before collector or api listen: revoke again what was revoked (foothold key revoke ID --tenant T), and make again what was made since (foothold key create)');
}

async function checkpoints(database: Database): Promise<Check> {
  const stray = await strayCheckpoints(database);
  const tables = usageProjection.tables.map(({ name }) => name).join(', ');
  return judged(
    'checkpoints', stray.length === 0,
    stray.length === 0 ? 'the read tables are of no later moment than the log' : `log and read tables are of different moments: ${stray.map(({ projection, shard, position, head }) => `${projection} has folded shard ${shard} up to ${position}, which ends at ${head}`).join('; ')}`,
    `fold the read tables anew before a projector starts: truncate ${tables}; update checkpoint set position = 0, seen = '{}' where projection = '${usageProjection.name}'; delete from checkpoint where projection <> '${usageProjection.name}'; drop schema if exists rebuild_${usageProjection.name} cascade`,
  );
}

async function numbering(database: Database): Promise<Check> {
  const stale = await staleNumbering(database);
  return judged(
    'numbering', stale.length === 0,
    stale.length === 0 ? 'no number would be given twice' : stale.map(({ table, next, greatest }) => `${table} would give ${next} next and holds ${greatest}`).join('; '),
    stale.map(({ table, column, greatest }) => `select setval(pg_get_serial_sequence('${table}', '${column}'), ${greatest})`).join('; '),
  );
}

/** What Kafka can say beside it: what it still has behind each fence, and what lies between that is nowhere any more. */
export async function kafkaAfterRestore({ admin, partitions, gone }: Standing): Promise<Check[]> {
  return [readAgain(partitions), await removed(admin, partitions), madeAnew(partitions), lost(gone)];
}

function readAgain(partitions: StandingPartition[]): Check {
  let total = 0;
  const parts: string[] = [];
  for (const { topic, part, low, high, origin } of partitions) {
    const from = Math.max(origin?.nextOffset ?? low, low);
    if (from >= high) continue;
    total += high - from;
    parts.push(`${topic}[${part}] from ${from} to ${high - 1}`);
  }
  return fine('to be read', total === 0 ? 'Kafka has nothing behind the fences' : `Kafka still has ${total} offsets behind the fences, which a recorder reads: ${parts.join('; ')}`);
}

async function removed(admin: Admin, partitions: StandingPartition[]): Promise<Check> {
  const gaps: string[] = [];
  const statements: string[] = [];
  for (const { topic, part, low, high, origin } of partitions) {
    if (!origin && low > 0) gaps.push(`${topic}[${part}] offsets 0 to ${low - 1} (nothing says whether they were recorded after that moment)`);
    if (!origin || origin.nextOffset >= low || origin.nextOffset > high) continue;
    const first = low < high ? await stampOf(admin, topic, part, low, origin) : undefined;
    gaps.push(`${topic}[${part}] offsets ${origin.nextOffset} to ${low - 1}, which came between ${origin.endSeenAt ?? 'the beginning'} and ${first ?? 'now'}`);
    statements.push(skipStatement(origin.origin, low));
  }
  return judged('removed by retention', gaps.length === 0, gaps.length === 0 ? 'nothing lies between the fences and what Kafka has' : `gone: ${gaps.join('; ')}`, statements.length === 0 ? 'nothing to do: a recorder begins where Kafka does' : `restore a later backup if there is one; else go on without them: ${statements.join('; ')}`);
}

/** When the record at the partition's first offset was written, to the second: Kafka tells offsets by times only, so this asks at ever closer times. */
async function stampOf(admin: Admin, topic: string, part: number, low: number, { endSeenAt }: KafkaOrigin): Promise<string> {
  let before = endSeenAt === null ? EARLIEST_MS : Date.parse(endSeenAt);
  let after = Date.now() + DAY_MS;
  while (after - before > 1_000) {
    const middle = Math.floor((before + after) / 2);
    const offsets = await admin.fetchTopicOffsetsByTimestamp(topic, middle);
    if (Number(offsets.find(({ partition }) => partition === part)!.offset) <= low) before = middle;
    else after = middle;
  }
  return new Date(after).toISOString();
}

function madeAnew(partitions: StandingPartition[]): Check {
  const shorter = partitions.filter(({ origin, high }) => origin && origin.nextOffset > high);
  const names = [...new Set(shorter.map(({ name }) => name))];
  return judged(
    'made anew', shorter.length === 0, shorter.length === 0 ? 'no topic ends before its fence' : shorter.map(({ topic, part, high, origin }) => `${topic}[${part}] ends at ${high} and ${recordedUpTo(origin!)}`).join('; '),
    `let a recorder read what is there from its beginning: ${names.map(startAnewStatement).join('; ')}`,
  );
}

function lost(gone: KafkaOrigin[]): Check {
  const names = [...new Set(gone.map(({ name }) => name))];
  return judged(
    'lost', gone.length === 0, gone.length === 0 ? 'every topic that was read is there' : gone.map((origin) => `${origin.name}[${origin.part}] ${recordedUpTo(origin)}`).join('; '),
    `if they do not come back, give them up: ${names.map(retireStatement).join('; ')}`,
  );
}

/** Nobody can say how far a lost partition went: only up to when all of it was recorded. */
function recordedUpTo({ nextOffset, endSeenAt }: KafkaOrigin): string {
  return `${nextOffset === 0 ? 'was never recorded' : `was recorded up to offset ${nextOffset - 1}`}: ${endSeenAt === null ? 'its end was never seen' : `all that was acknowledged up to ${endSeenAt} is held`}, what was acknowledged later may be gone`;
}
