/** The id under which the log keeps an event, so that an event sent again is known again. */
import { hash } from 'node:crypto';

/**
 * A UUIDv7 is kept, in lower case. Any other id is the host's own name, unique within its source only, and becomes the
 * UUIDv8 (RFC 9562) made of the first 16 bytes of SHA-256 over source, line feed and id.
 * @param source must hold no line feed, or two pairs could hash alike.
 */
export function identityOf(source: string, id: string): string {
  if (isUuidV7(id)) return id.toLowerCase();
  const hex = hash('sha256', `${source}\n${id}`);
  const variant = '89ab'[parseInt(hex[16]!, 16) & 3]!;
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

function isUuidV7(id: string): boolean {
  if (id.length !== 36 || id[14] !== '7') return false;
  for (let i = 0; i < 36; i++) {
    const unit = id.charCodeAt(i);
    if (i === 8 || i === 13 || i === 18 || i === 23) {
      if (unit !== 45) return false;
    } else if (!isHex(unit)) return false;
  }
  const variant = id.charCodeAt(19) | 32;
  return variant === 56 || variant === 57 || variant === 97 || variant === 98;
}

const isHex = (unit: number): boolean => (unit >= 48 && unit <= 57) || ((unit | 32) >= 97 && (unit | 32) <= 102);

/** Whether a text looks like what a pseudonymiser gives: 64 lower-case hex digits. */
export function isPseudonym(text: string): boolean {
  if (text.length !== 64) return false;
  for (let i = 0; i < 64; i++) {
    const unit = text.charCodeAt(i);
    if (!((unit >= 48 && unit <= 57) || (unit >= 97 && unit <= 102))) return false;
  }
  return true;
}
