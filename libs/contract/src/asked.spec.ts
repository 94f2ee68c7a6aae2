import { describe, expect, it } from '@jest/globals';
import Type from 'typebox';
import { readFields, readParameters } from './asked.js';
import { WrongInput } from './problem.js';

const PARAMETERS = Type.Object({
  id: Type.String({ pattern: '^[a-z]+$' }),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 9 })),
  by: Type.Optional(Type.Array(Type.Enum(['a', 'b']), { maxItems: 2, uniqueItems: true })),
});
const FIELDS = Type.Object({
  id: Type.String({ pattern: '^[a-z]+$' }),
  kinds: Type.Optional(Type.Union([Type.Array(Type.String({ pattern: '^[a-z]$' }), { minItems: 1, maxItems: 2, uniqueItems: true }), Type.Null()])),
  flag: Type.Optional(Type.Boolean()),
});

function wrong(read: () => unknown): Record<string, unknown> {
  try {
    read();
  } catch (error) {
    expect(error).toBeInstanceOf(WrongInput);
    const { field, reason, fix } = error as WrongInput;
    return { field, reason, fix };
  }
  throw new Error('nothing was wrong');
}

describe('parameters', () => {
  it('become values of their shape', () => {
    expect(readParameters(PARAMETERS, { id: 'x', limit: '07', by: 'b, a' })).toEqual({ id: 'x', limit: 7, by: ['b', 'a'] });
    expect(readParameters(PARAMETERS, { id: 'x', by: '' })).toEqual({ id: 'x', by: [] });
  });

  it.each<[Record<string, unknown>, string, string, string]>([
    [{}, 'id', 'missing', 'text of the form ^[a-z]+$'],
    [{ id: '1' }, 'id', 'a string of 1 character: not of the form it must have', 'text of the form ^[a-z]+$'],
    [{ id: ['x', 'y'] }, 'id', 'given 2 times', 'give it once'],
    [{ id: 'x', limit: '10' }, 'limit', 'the number 10: out of range', 'an integer from 1 to 9, or leave the field out'],
    [{ id: 'x', limit: '-1' }, 'limit', 'a string of 2 characters: not a number', 'an integer from 1 to 9, or leave the field out'],
    [{ id: 'x', limit: '' }, 'limit', 'an empty string: not a number', 'an integer from 1 to 9, or leave the field out'],
    [{ id: 'x', by: 'a,a' }, 'by', 'a list of 2 items: not what the list must hold', 'a list of 0 to 2, none twice, each of them one of a, b, or leave the field out'],
    [{ id: 'x', by: 'a,' }, 'by', 'a list of 2 items: not what the list must hold', 'one of a, b'],
    [{ id: 'x', more: '1' }, 'more', 'there is nothing of that name here', 'leave it out; what is taken is id, limit, by'],
    [{ id: 'x', 'jane@acme.com': '1' }, 'query', 'there is nothing of that name here', 'leave it out; what is taken is id, limit, by'],
    [{ id: 'x', constructor: '1' }, 'constructor', 'there is nothing of that name here', 'leave it out'],
    [JSON.parse('{"id":"x","__proto__":"1"}') as Record<string, unknown>, 'query', 'there is nothing of that name here', 'leave it out'],
  ])('%j are refused', (texts, field, reason, fix) => expect(wrong(() => readParameters(PARAMETERS, texts))).toEqual({ field, reason, fix: expect.stringContaining(fix) }));

  it('are refused where none is taken', () => expect(wrong(() => readParameters(Type.Object({}), { a: '1' }))).toMatchObject({ field: 'a', fix: 'leave it out: nothing is taken here' }));
});

describe('fields', () => {
  it('may be null where they may be left out', () => {
    expect(readFields(FIELDS, { id: 'x', kinds: null }, 'body')).toEqual({ id: 'x', kinds: null });
    expect(readFields(FIELDS, { id: 'x', kinds: ['a', 'b'], flag: false }, 'body')).toEqual({ id: 'x', kinds: ['a', 'b'], flag: false });
  });

  it.each<[Record<string, unknown>, string, string, string]>([
    [{ id: null }, 'id', 'null: not a string', 'text of the form'],
    [{ id: {} }, 'id', 'an object with 0 fields: not a string', 'text of the form'],
    [{ id: 'x', kinds: 'a' }, 'kinds', 'a string of 1 character: not a list', 'a list of 1 to 2, none twice, each of them text of the form'],
    [{ id: 'x', kinds: [] }, 'kinds', 'a list of 0 items: not what the list must hold', 'a list of 1 to 2'],
    [{ id: 'x', kinds: [1] }, 'kinds', 'a list of 1 item: not what the list must hold', 'a list of 1 to 2'],
    [{ id: 'x', kinds: { 0: 'a' } }, 'kinds', 'an object with 1 field: not a list', 'a list of 1 to 2'],
    [{ id: 'x', flag: null }, 'flag', 'null: not a boolean', 'true or false'],
    [{ id: 'x', 'a b': 1 }, 'body', 'there is nothing of that name here', 'what is taken is id, kinds, flag'],
  ])('%j are refused', (fields, field, reason, fix) => expect(wrong(() => readFields(FIELDS, fields, 'body'))).toEqual({ field, reason, fix: expect.stringContaining(fix) }));
});
