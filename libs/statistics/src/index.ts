export { clusteredRatio, meanOfShares, wilson, type ClusteredSums, type Interval, type ShareSums } from './intervals.js';
export { normalQuantile, studentT } from './quantiles.js';
export { incompleteBeta, logGamma } from './special-functions.js';
