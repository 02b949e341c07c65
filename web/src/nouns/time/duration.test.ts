import { describe, expect, test } from 'vitest';
import { countOf, formatDuration, secondsOf, toDuration } from './duration';

describe('durations', () => {
  test.each([
    ['P90D', 7_776_000],
    ['PT2160H', 7_776_000],
    ['PT15M', 900],
    ['P1DT12H', 129_600],
    ['P2W', 1_209_600],
    ['PT0S', 0],
    ['PT1.5S', 1.5],
  ])('%s is read', (text, seconds) => expect(secondsOf(text)).toBe(seconds));

  test.each(['', 'P', 'PT', '90', 'P1M', 'P1Y', 'PT1D', 'DAY'])('%j is none', (text) => {
    expect(secondsOf(text)).toBeNull();
  });

  test('they are said in the largest unit that divides them', () => {
    expect(formatDuration('PT2160H')).toBe('90 days');
    expect(formatDuration('PT24H')).toBe('1 day');
    expect(formatDuration('PT90M')).toBe('90 minutes');
    expect(formatDuration('P1Y')).toBe('P1Y');
  });

  test.each(['P90D', 'PT12H', 'PT15M', 'PT7S'])('%s stays itself in a form', (text) => {
    const { count, unit } = countOf(secondsOf(text) ?? Number.NaN);
    expect(toDuration(count, unit)).toBe(text);
  });
});
