/** What HTTP lets a client say of the answer it wants: in which form, and whether the one it has still holds. */
import { createHash } from 'node:crypto';

/** Of the media types that can be given, the best first, the one that an Accept header prefers; undefined where it takes none. */
export function preferred(accept: string | undefined, given: readonly string[]): string | undefined {
  if (accept === undefined || accept.trim() === '') return given[0];
  const ranges = accept.split(',').map((range) => {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
    return { type, weight: weight === undefined ? 1 : /^(0(\.\d{0,3})?|1(\.0{0,3})?)$/.test(weight) ? Number(weight) : 0 };
  });
  const weightOf = (type: string): number => {
    for (const wanted of [type, `${type.split('/')[0]}/*`, '*/*']) {
      const range = ranges.find((one) => one.type === wanted);
      if (range) return range.weight;
    }
    return 0;
  };
  let best: string | undefined;
  for (const type of given) if (weightOf(type) > (best === undefined ? 0 : weightOf(best))) best = type;
  return best;
}

/** The strong ETag of what these parts, one after the other, are. */
export function tagOf(...parts: (string | Buffer)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return `"${hash.digest('base64url').slice(0, 27)}"`;
}

/** Whether an If-None-Match header names this tag; weak ones are as good as strong ones here (RFC 9110, 13.1.2). */
export function holds(ifNoneMatch: string | undefined, tag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  return ifNoneMatch.trim() === '*' || ifNoneMatch.split(',').some((one) => one.trim().replace(/^W\//, '') === tag);
}
