import { describe, expect, it } from '@jest/globals';
import { holds, preferred } from './negotiation.js';

const BOTH = ['application/json', 'text/csv'];

describe('the form of an answer', () => {
  it.each<[string | undefined, string | undefined]>([
    [undefined, 'application/json'], ['', 'application/json'], ['*/*', 'application/json'], ['application/*', 'application/json'], ['text/*', 'text/csv'],
    ['text/csv', 'text/csv'], ['TEXT/CSV; charset=utf-8', 'text/csv'], ['text/csv;q=0.5, application/json;q=0.4', 'text/csv'], ['text/csv;q=0.5, application/json', 'application/json'],
    ['text/csv, application/json', 'application/json'], ['text/csv, */*;q=0.1', 'text/csv'], ['application/json;q=0, */*', 'text/csv'], ['text/html, application/xhtml+xml, */*;q=0.8', 'application/json'],
    ['text/html', undefined], ['application/json;q=0', undefined], ['text/csv;q=0.000', undefined], ['text/csv;q=2', undefined], ['text/csv;q=x', undefined], ['json', undefined], [',;,', undefined],
  ])('Accept: %s gives %s', (accept, type) => expect(preferred(accept, BOTH)).toBe(type));

  it('is none that cannot be given', () => expect(preferred('text/csv', ['application/json'])).toBeUndefined());
});

describe('If-None-Match', () => {
  it.each<[string | undefined, boolean]>([
    [undefined, false], ['"a"', true], ['W/"a"', true], ['"b", "a"', true], ['*', true], [' * ', true], ['"b"', false], ['a', false], ['"A"', false], ['', false], ['"a', false],
  ])('%s holds: %s', (header, held) => expect(holds(header, '"a"')).toBe(held));
});
