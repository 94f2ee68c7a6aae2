import { describe, expect, it } from '@jest/globals';
import { type Database, type Logger } from '@foothold/platform';
import { type KafkaMessage } from 'kafkajs';
import { fingerprint, openPartition, Partition, PartitionChanged, type Bounds } from './partition.js';

const record = (offset: number, text = `event ${offset}`): KafkaMessage => ({ offset: String(offset), timestamp: '1', key: null, value: Buffer.from(text), attributes: 0, headers: {} });
const records = (from: number, to: number): KafkaMessage[] => Array.from({ length: to - from + 1 }, (_, i) => record(from + i));
const offsets = (taken: KafkaMessage[] | 'elsewhere') => (taken === 'elsewhere' ? taken : taken.map(({ offset }) => Number(offset)));

/** A partition recorded up to, not including, 5, and how it takes what a broker with these bounds sends. */
function recordedTo5(bounds: Bounds) {
  const warnings: unknown[] = [];
  const logger = { warn: (...said: unknown[]) => void warnings.push(said) } as unknown as Logger;
  const partition = new Partition(1, 'cluster/topic', 'topic', 0, 5, fingerprint(record(4)), 4);
  return { partition, warnings, take: async (messages: KafkaMessage[]) => offsets(await partition.take(messages, () => Promise.resolve(bounds), logger)) };
}

describe('what a partition takes of what the broker sends', () => {
  it('reads the last record taken once more, and takes what comes after it', async () => {
    const { partition, take } = recordedTo5({ low: 0, high: 9 });
    expect(partition.wanted()).toBe(4);
    expect(await take(records(4, 6))).toEqual([5, 6]);
    partition.moved(7, record(6));
    expect(partition.wanted()).toBe(7);
    partition.doubt();
    expect(partition.wanted()).toBe(6);
    await expect(take([record(6, 'another'), record(7)])).rejects.toThrow(PartitionChanged);
  });

  it('a stretch that begins or ends elsewhere is sought', async () => {
    const { take } = recordedTo5({ low: 0, high: 9 });
    expect(await take(records(0, 3))).toBe('elsewhere');
    expect(await take(records(7, 8))).toBe('elsewhere');
    expect(await take(records(4, 8))).toEqual([5, 6, 7, 8]);
  });

  it('a hole that the broker still shows when asked for it carries no record', async () => {
    const { partition, take, warnings } = recordedTo5({ low: 0, high: 9 });
    await take(records(4, 4));
    expect(await take(records(7, 8))).toBe('elsewhere');
    expect(partition.wanted()).toBe(4); // whether the topic is the same is looked at again
    expect(await take(records(7, 8))).toEqual([7, 8]);
    expect(warnings).toHaveLength(1);
  });

  it('a hole that retention made while it was reading is a loss, never a void', async () => {
    const bounds = { low: 0, high: 9 };
    const { take } = recordedTo5(bounds);
    expect(await take(records(4, 4))).toEqual([]);
    bounds.low = 7;
    await expect(take(records(7, 8))).rejects.toThrow(/offsets 5 to 6 were removed by retention/);
  });

  it('an end before what was recorded is another topic', async () => {
    const { take } = recordedTo5({ low: 0, high: 3 });
    await expect(take(records(0, 2))).rejects.toThrow(/the broker ends at offset 3, 5 were recorded/);
  });
});

it('a fence that another recorder moves while it is opened is not beyond the end', async () => {
  const database = { query: (sql: string) => Promise.resolve(sql.startsWith('insert') ? [] : [{ origin: 1, nextOffset: 9, mark: null, markOffset: null }]) } as unknown as Database;
  const open = (...ends: number[]) => openPartition(database, () => Promise.resolve({ low: 0, high: ends.shift()! }), 'cluster/topic', 'topic', 0, null, {} as Logger);
  expect((await open(5, 9)).wanted()).toBe(9);
  await expect(open(5, 5)).rejects.toThrow(/the broker ends at offset 5, 9 were recorded/);
});
