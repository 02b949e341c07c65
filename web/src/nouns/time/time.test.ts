import { describe, expect, test } from 'vitest';
import { formatAgo, formatBoth, formatSpan } from './time';

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
    ['2026-05-04T09:30:07.000000Z', 'now', 'a clock that runs ahead shows no negative time'],
    ['2026-05-04T09:25:00.123456Z', '4m ago', 'microseconds are read'],
    ['2026-05-02T09:25:00Z', '2d ago', ''],
  ])('%s is %s %s', (instant, want) => expect(formatAgo(instant, now)).toBe(want));
});

test('hovering tells UTC with all digits', () => {
  expect(formatBoth('2026-05-04T09:30:00.123456Z')).toContain('2026-05-04 09:30:00.123456 UTC');
});
