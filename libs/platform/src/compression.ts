/**
 * Every compression a Kafka producer may choose, for kafkajs, which itself knows gzip only.
 *
 * What arrives: the compressed records of one batch. What leaves: the records; or, where they cannot be decompressed or
 * would grow beyond measure, as many stand-ins that say why. Next is whoever takes the messages: the recorder refuses a
 * stand-in as it refuses any wrong record, for an error here would stop the reading of every topic.
 */
import kafkajs from 'kafkajs';
import { gunzip, gzip } from 'node:zlib';
import { promisify } from 'node:util';

/** What a batch may grow to: a hundred times what the clients' own limits allow. */
const MOST_BYTES = 32 * 1024 * 1024;
/** How many times its size it may grow: usage events reach 6, with consecutive ids and one person only 80; zeros 30,000. */
const MOST_GROWTH = 128;
/** A batch of more records than this cannot be stood in for. */
const MOST_STAND_INS = 100_000;

/** Why a batch's records cannot be had. */
class Undecodable extends Error {}

const tooLarge = () => new Undecodable(`the batch it came in grows to more than ${MOST_GROWTH} times its size, or ${MOST_BYTES / 1024 / 1024} MB, when it is decompressed`);

/** Decompresses, or compresses, the records of a batch; neither may be asked before its library is loaded. */
interface Codec {
  compress(records: Buffer): Promise<Uint8Array> | Uint8Array;
  /** `most` is how many bytes may come out. @throws any error where they cannot be decompressed, Undecodable where they are too many */
  decompress(records: Buffer, most: number): Promise<Uint8Array> | Uint8Array;
}

/** Teaches kafkajs every compression; each library is loaded when the first batch needs it. */
export function readEveryCompression(): void {
  Object.assign(kafkajs.CompressionCodecs, CODECS);
}

function codec(name: string, load: () => Promise<Codec>): () => unknown {
  let loaded: Promise<Codec> | undefined;
  const forKafkajs = {
    compress: async (encoder: { buffer: Buffer }) => Buffer.from(await (await (loaded ??= load())).compress(encoder.buffer)),
    decompress: async (records: Buffer): Promise<Buffer> => {
      const { decompress } = await (loaded ??= load());
      const most = Math.min(MOST_BYTES, records.length * MOST_GROWTH);
      try {
        const found = await decompress(records, most);
        if (found.length > most) throw tooLarge();
        return Buffer.from(found.buffer, found.byteOffset, found.length);
      } catch (error) {
        return standIns(records, error instanceof Undecodable ? error.message : `the batch it came in cannot be decompressed with ${name}`);
      }
    },
  };
  return () => forKafkajs;
}

const { CompressionTypes: types } = kafkajs;
/** Once a process: a second start of zstd's library would take the memory away from under the first. */
const CODECS = {
  [types.GZIP]: codec('gzip', () => Promise.resolve(GZIP)),
  [types.Snappy]: codec('snappy', loadSnappy),
  [types.LZ4]: codec('lz4', loadLz4),
  [types.ZSTD]: codec('zstd', loadZstd),
};

const GZIP: Codec = {
  compress: promisify<Buffer, Buffer>(gzip),
  decompress: async (records, most) => {
    try {
      return await promisify<Buffer, { maxOutputLength: number }, Buffer>(gunzip)(records, { maxOutputLength: most });
    } catch (error) {
      throw (error as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE' ? tooLarge() : error;
    }
  },
};

/** Java's clients put snappy's blocks behind this and two version numbers, each block behind its length; others write one block as it is. */
const XERIAL = Buffer.from('\x82SNAPPY\0', 'latin1');

async function loadSnappy(): Promise<Codec> {
  const { compressSync, uncompressSync } = await import('snappy');
  return {
    compress: (records) => compressSync(records),
    decompress: (records, most) => {
      const blocks: Buffer[] = [];
      if (!records.subarray(0, XERIAL.length).equals(XERIAL)) blocks.push(records);
      else for (let at = 16, length: number; at < records.length; at += 4 + length) blocks.push(records.subarray(at + 4, at + 4 + (length = records.readUInt32BE(at))));
      let total = 0;
      for (const block of blocks) if ((total += snappyLength(block)) > most) throw tooLarge();
      const parts = blocks.map((block) => uncompressSync(block, { asBuffer: true }) as Buffer);
      return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
    },
  };
}

/** What a block of snappy says its length will be: seven bits a byte, the least first. */
function snappyLength(block: Buffer): number {
  let length = 0;
  for (let i = 0; i < 5; i++) {
    length += (block.readUInt8(i) & 0x7f) * 2 ** (7 * i);
    if (block[i]! < 0x80) return length;
  }
  throw new Undecodable('the batch it came in begins with no length that snappy knows');
}

/** The most that lz4's format can make of a byte. */
const LZ4_GROWTH = 255;

async function loadLz4(): Promise<Codec> {
  const { compressFrameSync, decompressFrameSync } = await import('lz4-napi');
  return {
    compress: (records) => compressFrameSync(records),
    decompress: (records, most) => {
      if (records.length * LZ4_GROWTH > MOST_BYTES && lz4Length(records, most) > most) throw tooLarge();
      return decompressFrameSync(records);
    },
  };
}

/** What a frame of lz4 grows to, counted from its blocks' lengths and copies; stops once it is more than `most`. */
function lz4Length(frame: Buffer, most: number): number {
  const flags = frame.readUInt8(4);
  let at = 7 + (flags & 8 ? 8 : 0) + (flags & 1 ? 4 : 0);
  const run = (nibble: number): number => {
    let length = nibble;
    if (nibble === 15) for (let more = 255; more === 255; length += more) more = frame.readUInt8(at++);
    return length;
  };
  let total = 0;
  for (let size: number; total <= most && (size = frame.readUInt32LE(at)) !== 0; at += flags & 16 ? 4 : 0) {
    const end = (at += 4) + (size & 0x7fffffff);
    if (size >= 2 ** 31) total += end - at;
    else for (let literals: number, token: number; at < end && total <= most; total += literals) {
      token = frame.readUInt8(at++);
      literals = run(token >> 4);
      at += literals;
      if (at >= end) continue; // the last of a block copies nothing
      at += 2;
      total += 4 + run(token & 15);
    }
    at = end;
  }
  return total;
}

async function loadZstd(): Promise<Codec> {
  const { init, compress, decompress } = await import('@bokuweb/zstd-wasm');
  await init();
  return {
    compress: (records) => compress(records),
    decompress: (records, most) => {
      const declared = zstdLength(records);
      if (declared !== undefined && declared > most) throw tooLarge();
      // The library wants to know how much comes out, which those who compress a stream do not say.
      for (let room = Math.min(most, Math.max(65_536, records.length * 16)); ; room = Math.min(most, room * 4)) {
        try {
          return decompress(records, { defaultHeapSize: room });
        } catch (error) {
          if (!/ -70$/.test((error as Error).message)) throw error; // zstd's code for too little room
          if (declared !== undefined || room === most) throw tooLarge();
        }
      }
    },
  };
}

const ZSTD = 0xfd2fb528;

/** What a frame of zstd says its length will be (RFC 8878, 3.1.1.1); undefined where it does not. */
function zstdLength(frame: Buffer): number | undefined {
  if (frame.readUInt32LE(0) !== ZSTD) throw new Undecodable('the batch it came in begins with no frame that zstd knows');
  const descriptor = frame.readUInt8(4);
  const single = (descriptor >> 5) & 1;
  const at = 6 - single + [0, 1, 2, 4][descriptor & 3]!;
  switch (descriptor >> 6) {
    case 0: return single ? frame.readUInt8(at) : undefined;
    case 1: return frame.readUInt16LE(at) + 256;
    case 2: return frame.readUInt32LE(at);
    default: return Number(frame.readBigUInt64LE(at));
  }
}

/** Why, by the memory that the stand-ins' values lie in. */
const reasons = new WeakMap<ArrayBufferLike, string>();

/** Why this is no record but stands in for one that could not be decompressed; undefined for any that could. */
export function undecodable(value: Buffer): string | undefined {
  return reasons.get(value.buffer);
}

/** The length of a batch's header, and what its own length leaves out. */
const HEADER = 61;
const BEFORE_LENGTH = 12;

/** As many records as the header before these compressed ones announces, at the end of the offsets it spans. */
function standIns(records: Buffer, reason: string): Buffer {
  const header = records.byteOffset < HEADER ? Buffer.alloc(HEADER) : Buffer.from(records.buffer, records.byteOffset - HEADER, HEADER);
  if (header.readInt32BE(8) !== HEADER - BEFORE_LENGTH + records.length) throw new Error(`${reason}, and it is none of Kafka 0.11 or later`);
  const [last, count] = [header.readInt32BE(23), header.readInt32BE(57)];
  if (count > MOST_STAND_INS) throw new Error(`${reason}, and it holds ${count} records from offset ${header.readBigInt64BE(0)} on: they cannot be refused one by one, so make the topic anew without them`);
  const value = Buffer.from(reason);
  const parts: Buffer[] = [];
  for (let delta = last - count + 1; delta <= last; delta++) {
    const record = Buffer.concat([Buffer.from([0, 0]), varint(delta), varint(-1), varint(value.length), value, varint(0)]);
    parts.push(varint(record.length), record);
  }
  // A memory of its own: small buffers of Node share theirs.
  const all = Buffer.from(new ArrayBuffer(parts.reduce((sum, { length }) => sum + length, 0)));
  parts.reduce((at, part) => at + part.copy(all, at), 0);
  reasons.set(all.buffer, reason);
  return all;
}

/** Kafka's signed numbers: zigzag, seven bits a byte, the least first. */
function varint(signed: number): Buffer {
  const bytes: number[] = [];
  let rest = signed < 0 ? -2 * signed - 1 : 2 * signed;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.from([...bytes, rest]);
}
