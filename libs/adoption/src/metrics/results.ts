/** What figures of results may be cut by. */
import { DIMENSIONS, type Dimension } from '@foothold/contract';

/** Every dimension but the weeks since a person's own start. */
export const OF_RESULTS: readonly Dimension[] = DIMENSIONS.filter((dimension) => dimension !== 'week');
