import { expect, test } from 'vitest';
import { apiFilter, apiOrder, readSearch } from './filters';
import { duration } from './RuleRow';

test.each([
  [{ stage: 'draft' }, { stage: { eq: 'DRAFT' } }],
  [{ stage: 'nonsense' }, {}],
  [{ enabled: 'yes' }, { stage: { eq: 'ENABLED' } }],
  [{ enabled: 'no' }, { stage: { eq: 'DISABLED' } }],
  [
    { q: 'title:x', level: 'HIGH' },
    { query: 'title:x', level: { eq: 'HIGH' } },
  ],
])('%j in the address asks for %j', (raw, want) => expect(apiFilter(readSearch(raw))).toEqual(want));

test('the order is by title unless the slowest, the busiest or the most harmless are wanted', () => {
  expect(apiOrder(readSearch({}))).toBe('TITLE');
  expect(apiOrder(readSearch({ order: 'cost' }))).toBe('COST');
  expect(apiOrder(readSearch({ order: 'alerts' }))).toBe('ALERTS');
  expect(apiOrder(readSearch({ order: 'false_positives' }))).toBe('FALSE_POSITIVES');
  expect(apiOrder(readSearch({ order: 'title' }))).toBe('TITLE');
});

test.each([
  [0, '0 ns'],
  [0.2, '< 1 ns'],
  [850.4, '850 ns'],
  [999.7, '1 µs'],
  [1_234, '1.2 µs'],
  [98_700, '99 µs'],
  [999_600, '1 ms'],
  [3_400_000, '3.4 ms'],
])('%d nanoseconds are %s', (ns, text) => expect(duration(ns)).toBe(text));
