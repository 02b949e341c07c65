import { describe, expect, test } from 'vitest';
import { boundsOf, intervalFor, readRange, spanOf } from './range';

describe('a range of time in the URL', () => {
  test.each([
    [{ since: '24h' }, { since: '24h' }],
    [{ since: 'yesterday' }, {}],
    [{ since: '0h' }, {}],
    [
      { from: '2026-05-01T00:00:00Z', to: '2026-05-02T00:00:00Z', since: '1h' },
      { from: '2026-05-01T00:00:00.000Z', to: '2026-05-02T00:00:00.000Z' },
    ],
    [{ from: '2026-05-02T00:00:00Z', to: '2026-05-01T00:00:00Z' }, {}],
    [{ from: 'x', to: 'y' }, {}],
  ])('%j is read as %j', (raw, want) => expect(readRange(raw)).toEqual(want));

  test('its bounds', () => {
    expect(boundsOf({ since: '1h' }, '24h', 10_000_000)).toEqual({ from: 6_400_000, to: 10_000_000 });
    expect(boundsOf({}, '15m', 1_000_000)).toEqual({ from: 100_000, to: 1_000_000 });
    expect(spanOf('7d')).toBe(604_800_000);
  });

  test.each([
    [3_600_000, 60],
    [86_400_000, 1_800],
    [604_800_000, 10_800],
    [86_400_000 * 3_650, 604_800 * 8],
  ])('%d ms have buckets of %d s', (length, want) => expect(intervalFor(0, length)).toBe(want));
});
