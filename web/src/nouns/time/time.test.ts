import { describe, expect, test } from 'vitest';
import { formatAgo, formatBoth, formatClock, formatDate, formatSpan } from './time';

describe('formatSpan', () => {
  test.each([
    [0, '0s'],
    [-5_000, '0s'],
    [59_999, '59s'],
    [60_000, '1m'],
    [3_599_999, '59m'],
    [7_200_000, '2h'],
    [86_400_000 * 13, '13d'],
    [86_400_000 * 14, '2w'],
    [86_400_000 * 800, '2y'],
  ])('%d ms is %s', (ms, want) => expect(formatSpan(ms)).toBe(want));
});

describe('formatAgo', () => {
  const now = Date.parse('2026-05-04T09:30:00Z');
  test.each([
    ['2026-05-04T09:29:58.500000Z', 'now', 'a moment is now'],
    ['2026-05-04T09:30:04.000000Z', 'now', 'a clock that runs a little ahead shows no time to come'],
    ['2026-05-04T09:30:07.000000Z', 'in 7s', 'what is to come is not now'],
    ['2026-06-05T09:30:00Z', 'in 4w', ''],
    ['2026-05-04T09:25:00.123456Z', '4m ago', 'microseconds are read'],
    ['2026-05-02T09:25:00Z', '2d ago', ''],
  ])('%s is %s %s', (instant, want) => expect(formatAgo(instant, now)).toBe(want));
});

test('hovering tells UTC with all digits', () => {
  expect(formatBoth('2026-05-04T09:30:00.123456Z')).toContain('2026-05-04 09:30:00.123456 UTC');
});

describe('a time of day', () => {
  const now = new Date(2026, 4, 4, 12, 0, 0).getTime();
  test.each([
    [new Date(2026, 4, 4, 9, 30, 1, 250), '09:30:01.250', 'today'],
    [new Date(2026, 2, 1, 9, 30, 1), '01 Mar 09:30:01', 'this year'],
    [new Date(2025, 11, 4, 9, 30, 1), '4 Dec 2025 09:30:01', 'another year'],
  ])('%s is %s: %s', (at, want) => expect(formatClock(at.toISOString(), now)).toBe(want));
});

test('a date says its month by name', () => {
  expect(formatDate(new Date(2026, 11, 4, 12).toISOString())).toBe('4 Dec 2026');
});
