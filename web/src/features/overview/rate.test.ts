import { expect, test } from 'vitest';
import { formatRate } from './rate';

test.each([
  [0, '0', 'nothing'],
  [1 / 60, '< 0.1', 'one in a minute is not nothing'],
  [0.12, '0.1', 'one digit'],
  [9.96, '10', 'up to ten'],
  [1_234.5, '1,235', 'whole'],
])('%d is %s: %s', (rate, want) => expect(formatRate(rate)).toBe(want));
