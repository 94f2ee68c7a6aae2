/** What is sealed is opened by the same secret for the same tenant only, whole only, and by every later version. */
import { createCipheriv, hkdfSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { Sealer } from './index.js';

const SECRET = Buffer.alloc(32, 7);
const TEXT = '{"subject":"0123","data":{"invocation":"å 1"}}';
const sealer = new Sealer(SECRET);

describe('a sealer', () => {
  it('opens what it sealed, and seals the same text otherwise each time', () => {
    const [one, two] = [sealer.seal('acme', TEXT), sealer.seal('acme', TEXT)];
    expect([one, two].map((sealed) => new Sealer(SECRET).open('acme', sealed))).toEqual([TEXT, TEXT]);
    expect(one.equals(two)).toBe(false);
    for (const part of [TEXT, 'subject', 'invocation']) expect(one.includes(part)).toBe(false);
    expect(sealer.open('acme', sealer.seal('acme', ''))).toBe('');
  });

  it('opens nothing of another secret or another tenant', () => {
    const sealed = sealer.seal('acme', TEXT);
    expect(new Sealer(Buffer.alloc(32, 8)).open('acme', sealed)).toBeNull();
    for (const tenant of ['acm', 'acme2', 'globex', '']) expect(sealer.open(tenant, sealed)).toBeNull();
  });

  it('opens nothing that is not whole, wherever it was touched', () => {
    const sealed = sealer.seal('acme', TEXT);
    for (let at = 0; at < sealed.length; at++) {
      const touched = Buffer.from(sealed);
      touched[at]! ^= 1;
      expect(sealer.open('acme', touched)).toBeNull();
      expect(sealer.open('acme', sealed.subarray(0, at))).toBeNull();
    }
    expect(sealer.open('acme', Buffer.concat([sealed, Buffer.alloc(1)]))).toBeNull();
  });

  it('keeps to its form: AES-256-GCM, the key by HKDF-SHA256 for dead letters of the tenant, the tenant bound in', () => {
    const key = Buffer.from(hkdfSync('sha256', SECRET, '', 'foothold dead letters/acme', 32));
    const nonce = Buffer.alloc(12, 3);
    const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from('acme'));
    const sealed = Buffer.concat([Buffer.from([1]), nonce, cipher.update(TEXT), cipher.final(), cipher.getAuthTag()]);
    expect(sealer.open('acme', sealed)).toBe(TEXT);
    // As it lies in databases: what was sealed once must be opened by every version to come.
    expect(sealed.toString('base64')).toBe('AQMDAwMDAwMDAwMDA/2c2Dr/Zrb6Otmntmn7n/2BK/VDCy8ZCPadOiCJlEWtC+yYEMuFtuI0St9TetgTdGFMTYUDm4e74H9aUZuo7A==');
  });
});
