/**
 * Metrics that are a share of something people did: per person sums in SQL, ratios and their doubt here.
 * People behave alike from one result to the next, so intervals are clustered by person: the query gives, for each
 * cell, the sums over people of x, y, x², xy and y², from which a ratio's linearised variance follows.
 */
import { type Dimension } from '@foothold/contract';
import { clusteredRatio, meanOfShares } from '@foothold/statistics';
import { type Query, type Range, type Row } from './answer.js';
import { bucketSql, buckets } from './bucket.js';
import { joinWaiting, waiting } from './waiting.js';

interface Variant {
  /** SQL over a person's sums in one cell. */
  x: string;
  y: string;
  /** The mean over people of their own share, rather than the share of the sums. */
  meanOfPeople?: true;
}

interface Ratio {
  variants: Record<string, Variant>;
  /** Counters to sum per person. */
  sums: string[];
}

const EXPLICIT: Record<string, string> = {
  dismissed: 'dismissed', navigated: 'navigated', stopped: 'stopped', 'timed-out': 'timed_out', 'worked-around': 'worked_around',
};
const DECIDED = '(accepted + overridden)';

export const RATIOS: Record<string, Ratio> = {
  'adoption.coverage': {
    sums: ['tasks', 'tasks_used', 'tasks_consulted', 'tasks_conflicting'],
    variants: {
      pooled: { x: 'tasks_used', y: 'tasks' },
      people: { x: 'tasks_used', y: 'tasks', meanOfPeople: true },
      consulted: { x: 'tasks_consulted', y: 'tasks' },
      conflicts: { x: 'tasks_conflicting', y: 'tasks' },
    },
  },
  'trust.acceptance': {
    sums: ['shown', 'accepted', 'overridden'],
    variants: {
      shown: { x: 'accepted', y: 'shown' },
      decided: { x: 'accepted', y: DECIDED },
      people: { x: 'accepted', y: DECIDED, meanOfPeople: true },
      people_shown: { x: 'accepted', y: 'shown', meanOfPeople: true },
    },
  },
  'trust.override': { sums: ['accepted', 'overridden'], variants: { all: { x: 'overridden', y: DECIDED } } },
  'trust.abandonment': {
    sums: ['shown', 'undecided', ...Object.values(EXPLICIT)],
    variants: {
      all: { x: `${Object.values(EXPLICIT).join(' + ')} + undecided - pending`, y: 'shown' },
      ...Object.fromEntries(Object.entries(EXPLICIT).map(([cause, counter]) => [cause, { x: counter, y: 'shown' }])),
      pending: { x: 'pending', y: 'shown' },
      soft: { x: 'soft', y: 'shown' },
      confirmed: { x: 'undecided - pending - soft', y: 'shown' },
      undecided: { x: 'undecided', y: 'shown' },
    },
  },
};
/** Variants that depend on how long ago a result was shown. */
const DATED = new Set(['all', 'pending', 'soft', 'confirmed']);

interface Sums {
  n: number;
  x: number;
  y: number;
  xx: number;
  xy: number;
  yy: number;
  shares: number;
  squares: number;
}

/** Rows of a ratio metric; of trust.abandonment, `completeThrough` (microseconds) and the windows learned decide what is pending. */
export async function ratioRows(query: Query, id: string, range: Range, taskKinds: string[] | null, completeThrough: number | null, learned: Parameters<typeof waiting>[0]): Promise<Row[]> {
  const ratio = RATIOS[id]!;
  const dated = id === 'trust.abandonment';
  const names = Object.keys(ratio.variants);
  const columns = ['bucket', ...range.by];
  const ours = columns.join(', ');
  const values: unknown[] = [range.deployment, range.fromText, range.toText];
  const eligible = id === 'adoption.coverage' && taskKinds ? `and task_kind = any($${values.push(taskKinds)})` : '';
  const undecided = dated
    ? `left join (select ${bucketSql(range.grain, 'day')} as bucket, ${range.by.map((dimension) => `${UNDECIDED_BY[dimension]} as ${dimension}, `).join('')}
           person, count(*) filter (where shown_at >= pending_since) as pending, count(*) filter (where shown_at < pending_since) as soft
         from invocation ${joinWaiting(waiting(learned, completeThrough), values)}
         where deployment = $1 and day between $2::date and $3::date and status = 'undecided'
         group by ${ours}, person) w using (${ours}, person)`
    : '';
  const person = `
    select ${bucketSql(range.grain, 'day')} as bucket, ${range.by.map((dimension) => `${dimension}, `).join('')} person,
           ${ratio.sums.map((counter) => `sum(${counter})::float8 as ${counter}`).join(', ')}
      from person_day where deployment = $1 and day between $2::date and $3::date ${eligible} group by ${ours}, person`;
  const shares = `select ${ours}, person, ${names.map((name, i) => `(${ratio.variants[name]!.x}) as x${i}, (${ratio.variants[name]!.y}) as y${i}`).join(', ')}
    from (select p.*${dated ? ', coalesce(pending, 0)::float8 as pending, coalesce(soft, 0)::float8 as soft' : ''} from (${person}) p ${undecided}) p`;
  // Fractions are added in the order of their size, not as they come: the same facts give the same answer to the last digit.
  const fractions = (i: number) => `, sum(x${i} / nullif(y${i}, 0) order by x${i} / nullif(y${i}, 0)) as shares${i}, sum((x${i} / nullif(y${i}, 0)) ^ 2 order by x${i} / nullif(y${i}, 0)) as squares${i}`;
  const sums = names.map((name, i) => `count(*) filter (where y${i} > 0)::float8 as n${i}, sum(x${i}) as x${i}, sum(y${i}) as y${i}, sum(x${i} * x${i}) as xx${i},
    sum(x${i} * y${i}) as xy${i}, sum(y${i} * y${i}) as yy${i}${ratio.variants[name]!.meanOfPeople ? fractions(i) : ''}`);
  const found = await query<Record<string, string | number | null>>(
    `select ${columns.map((column) => (column === 'bucket' ? 'bucket::text' : column)).join(', ')}, ${sums.join(', ')} from (${shares}) s group by ${ours}`, values,
  );
  const reasons = id === 'trust.override' ? await reasonSums(query, range) : [];

  const rows: Row[] = [];
  for (const { bucket, cell, by } of cells(range, found)) {
    for (const [i, name] of names.entries()) {
      const total = pick(cell, i);
      if (range.by.length > 0 && total.y === 0) continue;
      const unknown = dated && DATED.has(name) && completeThrough === null;
      rows.push(unknown ? { ...bucket, by, ...EMPTY, variant: name, denominator: total.y, people: total.n } : { ...bucket, by, variant: name, ...judge(ratio.variants[name]!, total) });
    }
    if (!cell) continue;
    for (const reason of reasons.filter((sum) => columns.every((column) => sum[column] === cell[column]))) {
      const total = { ...pick(cell, 0), x: Number(reason['x']), xx: Number(reason['xx']), xy: Number(reason['xy']) };
      rows.push({ ...bucket, by, variant: (reason['reason'] as string) || 'none', ...judge({ x: '', y: '' }, total) });
    }
  }
  return rows;
}

const EMPTY = { value: null, numerator: null, low: null, high: null };
const UNDECIDED_BY: Record<Dimension, string> = {
  task_kind: `coalesce(task_kind, '')`, surface: `coalesce(surface, '')`, initiative: `coalesce(initiative, '')`,
  model: `coalesce(shown_model, started_model, '')`, release: `coalesce(shown_release, started_release, '')`,
};

async function reasonSums(query: Query, range: Range): Promise<Record<string, string | number | null>[]> {
  const ours = ['bucket', ...range.by].join(', ');
  return query(
    `select ${['bucket::text', ...range.by].join(', ')}, reason, sum(x) as x, sum(x * x) as xx, sum(x * y) as xy
       from (select ${ours}, reason, person, overridden as x, sum(decided) over (partition by ${ours}, person) as y
               from (select ${bucketSql(range.grain, 'day')} as bucket, ${range.by.map((dimension) => `${dimension}, `).join('')} reason, person,
                            sum(overridden)::float8 as overridden, sum(accepted + overridden)::float8 as decided
                       from person_day where deployment = $1 and day between $2::date and $3::date group by ${ours}, reason, person) d) s
      where x > 0 group by ${ours}, reason order by sum(x) desc, reason`,
    [range.deployment, range.fromText, range.toText],
  );
}

/** Every bucket where nothing is cut by a dimension, so that empty ones show; else the cells that hold something. */
function* cells(range: Range, found: Record<string, string | number | null>[]) {
  const all = buckets(range);
  if (range.by.length === 0) {
    const byBucket = new Map(found.map((cell) => [cell['bucket'], cell]));
    for (const bucket of all) yield { bucket: { from: bucket.from, to: bucket.to }, cell: byBucket.get(bucket.start), by: {} };
    return;
  }
  const order = new Map(all.map((bucket) => [bucket.start, bucket]));
  const sorted = [...found].sort((a, b) => (label(a, range) < label(b, range) ? -1 : 1));
  for (const cell of sorted) {
    const { from, to } = order.get(cell['bucket'] as string)!;
    yield { bucket: { from, to }, cell, by: Object.fromEntries(range.by.map((dimension) => [dimension, (cell[dimension] as string) || null])) };
  }
}

const label = (cell: Record<string, string | number | null>, range: Range): string => [cell['bucket'], ...range.by.map((dimension) => cell[dimension])].join('\u0001');

function pick(cell: Record<string, string | number | null> | undefined, i: number): Sums {
  const of = (name: string) => Number(cell?.[`${name}${i}`] ?? 0);
  return { n: of('n'), x: of('x'), y: of('y'), xx: of('xx'), xy: of('xy'), yy: of('yy'), shares: of('shares'), squares: of('squares') };
}

function judge(variant: Variant, sums: Sums): Pick<Row, 'value' | 'numerator' | 'denominator' | 'low' | 'high' | 'people'> {
  const { n, x, y } = sums;
  if (y === 0) return { ...EMPTY, numerator: 0, denominator: 0, people: 0 };
  const interval = variant.meanOfPeople
    ? meanOfShares({ n, sum: sums.shares, sumSquares: sums.squares })
    : clusteredRatio({ n, sumX: x, sumY: y, sumXX: sums.xx, sumXY: sums.xy, sumYY: sums.yy });
  const [numerator, denominator] = variant.meanOfPeople ? [sums.shares, n] : [x, y];
  return { value: numerator / denominator, numerator, denominator, low: interval?.low ?? null, high: interval?.high ?? null, people: n };
}
