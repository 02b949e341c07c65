import { expect, test } from 'vitest';
import { readLoginSearch, refusalOf, safeReturn } from './LoginPage';

test.each([
  [undefined, '/alerts'],
  ['/events?q=a', '/events?q=a'],
  ['https://evil.example', '/alerts'],
  ['//evil.example', '/alerts'],
  ['/\\evil.example', '/alerts'],
  ['/login?to=/alerts', '/alerts'],
])('after a login %s leads to %s', (to, want) => expect(safeReturn(to)).toBe(want));

test('why a provider brought nobody in is said in words', () => {
  expect(refusalOf({})).toBeNull();
  expect(refusalOf({ error: 'OIDC_ROLE' })).toContain('none of your groups');
  expect(refusalOf(readLoginSearch({ error: '<b>', request: 'abc' }))).toBe(
    'The login by the provider failed. (request abc)',
  );
});
