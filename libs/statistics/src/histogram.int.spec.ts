/** A database counts into the same buckets, and its own quantile is the one ours comes near. */
import { describe, expect, it } from '@jest/globals';
import { databases, serverUrl } from '../../../test/support/database.js';
import { bucketOf, GAMMA, histogramOf, histogramQuantile, RELATIVE_ERROR } from './histogram.js';
import { uniform } from './random.js';

const BUCKET = 'case when value < 1 then -1 else ceil(ln(value) / ln(51.0 / 49)) end';
const open = databases();

describe('the histogram in SQL', () => {
  it('has the buckets and quantiles that ours has', async () => {
    const seed = 49;
    const random = uniform(seed);
    const values = [0, 0.5, 1, 2];
    for (let i = 0; i < 20_000; i += 1) values.push(Math.floor(Math.exp(random() * Math.log(1e11))));
    for (let b = 1; GAMMA ** b < 1e11; b += 1) values.push(Math.floor(GAMMA ** b), Math.floor(GAMMA ** b) + 1);
    console.info(`${values.length} values, seed ${seed}`);
    const database = await open(serverUrl());
    const rows = await database.query<{ value: number; bucket: number }>(`select value, ${BUCKET} as bucket from unnest($1::float8[]) as value`, [values]);
    expect(rows.filter(({ value, bucket }) => bucketOf(value) !== bucket)).toEqual([]);
    expect(rows).toHaveLength(values.length);

    const p = [0, 0.05, 0.5, 0.95, 1];
    const [row] = await database.query<{ exact: number[] }>('select percentile_disc($2::float8[]) within group (order by value) as exact from unnest($1::float8[]) as value', [values, p]);
    row!.exact.forEach((exact, i) => expect(Math.abs(histogramQuantile(histogramOf(values), p[i]!)! - exact)).toBeLessThanOrEqual(RELATIVE_ERROR * exact * (1 + 1e-12)));
  });
});
