import { describe, expect, it } from 'vitest';
import { bytesText, lagText, lastHour, rateText, shareText } from './figures';

describe('figures', () => {
  it.each([
    [0, 'none'],
    [0.001, '3.6 /h'],
    [0.5, '30 /min'],
    [1, '1 /s'],
    [12_345.6, '12,346 /s'],
  ])('a rate of %d is %s', (rate, text) => expect(rateText(rate)).toBe(text));

  it.each([
    [0, 'none'],
    [0.0002, '< 0.1 %'],
    [0.004, '0.4 %'],
    [1, '100 %'],
  ])('a share of %d is %s', (share, text) => expect(shareText(share)).toBe(text));

  it.each([
    [0.01, '0 s'],
    [1.26, '1.3 s'],
    [-90, '−90 s'],
    [600, '10 min'],
    [36_000, '10 h'],
    [864_000, '10 days'],
  ])('a lag of %d is %s', (lag, text) => expect(lagText(lag)).toBe(text));

  it.each([
    [0, '0 bytes'],
    [1_536, '1.5 KiB'],
    [5 * 1_024 ** 4, '5 TiB'],
  ])('%d bytes are %s', (bytes, text) => expect(bytesText(bytes)).toBe(text));
});

describe('the last hour', () => {
  it('has every minute up to now, and those without records too', () => {
    const now = Date.parse('2026-05-04T10:00:30Z');
    const hour = lastHour(
      [
        { at: '2026-05-04T09:58:00Z', records: 7, rejected: 1 },
        { at: '2026-05-04T08:59:00Z', records: 99, rejected: 99 },
      ],
      now,
    );
    expect(hour.starts).toHaveLength(60);
    expect(new Date(hour.starts[59] ?? 0).toISOString()).toBe('2026-05-04T10:00:00.000Z');
    expect(hour.records.slice(-3)).toEqual([7, 0, 0]);
    expect(hour.records.reduce((a, b) => a + b)).toBe(7);
    expect(hour.rejected[57]).toBe(1);
  });
});
