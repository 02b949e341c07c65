import { expect, test } from 'vitest';
import { shipperState, silentAfter } from './shipper';

const now = Date.parse('2026-01-02T03:04:05Z');
const ago = (ms: number) => new Date(now - ms).toISOString();

test('a shipper is silent after a quarter of an hour, not before', () => {
  expect(shipperState(ago(0), now)).toBe('sending');
  expect(shipperState(ago(silentAfter), now)).toBe('sending');
  expect(shipperState(ago(silentAfter + 1), now)).toBe('silent');
  expect(shipperState(null, now)).toBe('unused');
});
