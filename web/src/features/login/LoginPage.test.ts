import { expect, test } from 'vitest';
import { safeReturn } from './LoginPage';

test.each([
  [undefined, '/alerts'],
  ['/events?q=a', '/events?q=a'],
  ['https://evil.example', '/alerts'],
  ['//evil.example', '/alerts'],
  ['/\\evil.example', '/alerts'],
  ['/login?to=/alerts', '/alerts'],
])('after a login %s leads to %s', (to, want) => expect(safeReturn(to)).toBe(want));
