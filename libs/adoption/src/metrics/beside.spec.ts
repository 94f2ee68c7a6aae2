/** Which figures of single days are hidden beside those of other dimensions: examples worked out by hand. */
import { describe, expect, it } from '@jest/globals';
import { type Dimension } from '@foothold/contract';
import { hideBeside } from './beside.js';
import { shareOfPeople } from './ratio.js';
import { enabled } from './enabled.js';
import { type Asking, type Figure } from './metric.js';

/** People of a team and a role on a day. */
type Cell = [team: string, role: string, people: number];

/** Which values of a dimension are shown. */
async function shownBy(dimension: Dimension, cells: Cell[]): Promise<string[]> {
  const figures = async ({ by }: Asking): Promise<Figure[]> => {
    const sums = new Map<string, number>();
    for (const [team, role, people] of cells) {
      const label = JSON.stringify(by.map((one) => (one === 'team' ? team : role)));
      sums.set(label, (sums.get(label) ?? 0) + people);
    }
    return [...sums].map(([label, people]) => ({ period: 0, by: JSON.parse(label) as string[], variant: 'all', ...shareOfPeople(0, people) }));
  };
  const asking = { by: [dimension], periods: [{ from: 0, to: 6 }], notes: [] } as unknown as Asking;
  const metric = { figures, declaration: { ...enabled.declaration, dimensions: ['team', 'role', 'stage'] as const } };
  const isHidden = await hideBeside(asking, metric, 5);
  return (await figures(asking)).filter((figure) => !isHidden(figure)).map(({ by: [value] }) => value!);
}

describe('figures of a day', () => {
  it('are told by a later dimension only where it says nothing of few people beside the earlier', async () => {
    const cells: Cell[] = [['north', 'lead', 6], ['north', 'clerk', 2], ['south', 'clerk', 9]];
    expect(await shownBy('team', cells)).toEqual(['north', 'south']);
    expect(await shownBy('role', cells)).toEqual([]);
  });

  it('are told by both where enough people are in each of both, or the few are among others who may be meant', async () => {
    const cells: Cell[] = [['north', 'lead', 6], ['north', 'clerk', 2], ['south', 'clerk', 9], ['south', 'lead', 7]];
    expect(await shownBy('team', cells)).toEqual(['north', 'south']);
    expect(await shownBy('role', cells)).toEqual(['lead', 'clerk']);
  });
});
