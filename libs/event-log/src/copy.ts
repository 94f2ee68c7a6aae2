/**
 * Rows to and from Postgres in its binary format: COPY in, query results out.
 * Measured on one core, binary COPY takes half again as many rows a second as text COPY,
 * and timestamps keep their microseconds, which a JavaScript Date would cut.
 */
import { type PoolClient } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';

/** Column types of the log and of projections; timestamptz is integer microseconds since 1970, date is days since 1970. */
export type ColumnType = 'int2' | 'int4' | 'int8' | 'float8' | 'bool' | 'text' | 'json' | 'uuid' | 'timestamptz' | 'date';
export type Value = string | number | boolean | null;

const EPOCH_2000_MICROS = 946_684_800_000_000;
const EPOCH_2000_DAYS = 10_957;
const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');

/** Grows as rows are added; `finish` gives the whole COPY stream. */
export class CopyBuffer {
  private buffer: Buffer;
  private at = SIGNATURE.length;

  constructor(private readonly types: readonly ColumnType[]) {
    this.buffer = Buffer.allocUnsafe(1 << 16);
    SIGNATURE.copy(this.buffer);
  }

  row(values: readonly Value[]): void {
    this.reserve(2);
    this.at = this.buffer.writeInt16BE(values.length, this.at);
    for (let column = 0; column < values.length; column++) this.value(this.types[column]!, values[column]!);
  }

  finish(): Buffer {
    this.reserve(2);
    this.at = this.buffer.writeInt16BE(-1, this.at);
    return this.buffer.subarray(0, this.at);
  }

  private value(type: ColumnType, value: Value): void {
    this.reserve(24);
    if (value === null) {
      this.at = this.buffer.writeInt32BE(-1, this.at);
      return;
    }
    switch (type) {
      case 'int2':
        this.at = this.buffer.writeInt16BE(value as number, this.buffer.writeInt32BE(2, this.at));
        return;
      case 'int4':
        this.at = this.buffer.writeInt32BE(value as number, this.buffer.writeInt32BE(4, this.at));
        return;
      case 'date':
        this.at = this.buffer.writeInt32BE((value as number) - EPOCH_2000_DAYS, this.buffer.writeInt32BE(4, this.at));
        return;
      case 'int8':
        return this.int64(value as number);
      case 'timestamptz':
        return this.int64((value as number) - EPOCH_2000_MICROS);
      case 'float8':
        this.at = this.buffer.writeDoubleBE(value as number, this.buffer.writeInt32BE(8, this.at));
        return;
      case 'bool':
        this.at = this.buffer.writeInt8(value ? 1 : 0, this.buffer.writeInt32BE(1, this.at));
        return;
      case 'uuid':
        return this.uuid(value as string);
      default:
        return this.text(value as string);
    }
  }

  private int64(value: number): void {
    const high = Math.floor(value / 4_294_967_296);
    this.at = this.buffer.writeInt32BE(8, this.at);
    this.at = this.buffer.writeInt32BE(high, this.at);
    this.at = this.buffer.writeUInt32BE(value - high * 4_294_967_296, this.at);
  }

  private uuid(value: string): void {
    this.at = this.buffer.writeInt32BE(16, this.at);
    for (let i = 0; i < 36; i += 2) {
      if (value.charCodeAt(i) === 45) i++;
      this.buffer[this.at++] = (nibble(value.charCodeAt(i)) << 4) | nibble(value.charCodeAt(i + 1));
    }
  }

  private text(value: string): void {
    this.reserve(4 + value.length * 3);
    const written = this.buffer.write(value, this.at + 4);
    this.buffer.writeInt32BE(written, this.at);
    this.at += 4 + written;
  }

  private reserve(bytes: number): void {
    if (this.at + bytes <= this.buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, this.at + bytes));
    this.buffer.copy(larger, 0, 0, this.at);
    this.buffer = larger;
  }
}

const nibble = (code: number): number => (code < 58 ? code - 48 : (code | 32) - 87);

/** Sends finished COPY bytes into `table (columns)`. */
export async function copyInto(client: PoolClient, table: string, columns: readonly string[], bytes: Buffer): Promise<void> {
  const stream = client.query(copyFrom(`copy ${table} (${columns.join(', ')}) from stdin (format binary)`));
  await new Promise<void>((resolve, reject) => {
    stream.once('error', reject);
    stream.once('finish', resolve);
    stream.end(bytes);
  });
}

/** Runs a query whose results come back in binary, as arrays in column order, decoded as ColumnType says. */
export async function binaryRows(client: PoolClient, text: string, values: unknown[], name?: string): Promise<Value[][]> {
  const result = await client.query({ text, values, rowMode: 'array', binary: true, ...BINARY, ...(name ? { name } : {}) } as never);
  return (result as unknown as { rows: Value[][] }).rows;
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
const DECODERS: Record<number, (bytes: Buffer) => Value> = {
  16: (bytes) => bytes[0] === 1,
  20: (bytes) => bytes.readInt32BE(0) * 4_294_967_296 + bytes.readUInt32BE(4),
  21: (bytes) => bytes.readInt16BE(0),
  23: (bytes) => bytes.readInt32BE(0),
  701: (bytes) => bytes.readDoubleBE(0),
  1082: (bytes) => bytes.readInt32BE(0) + EPOCH_2000_DAYS,
  1184: (bytes) => bytes.readInt32BE(0) * 4_294_967_296 + bytes.readUInt32BE(4) + EPOCH_2000_MICROS,
  2950: (bytes) => {
    let text = '';
    for (let i = 0; i < 16; i++) text += (i === 4 || i === 6 || i === 8 || i === 10 ? '-' : '') + HEX[bytes[i]!];
    return text;
  },
};
const asText = (bytes: Buffer): string => bytes.toString();
const BINARY = { types: { getTypeParser: (oid: number) => DECODERS[oid] ?? asText } };
