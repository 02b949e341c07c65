import { describe, expect, test } from 'vitest';
import { withCondition, withConditions } from './condition';

describe('withCondition', () => {
  test.each<[string | undefined, string, string, boolean, string]>([
    [undefined, 'host', 'ws-01', false, 'host:ws-01'],
    ['a b', 'host', 'ws-01', true, 'a b -host:ws-01'],
    ['host:ws-01', 'host', 'ws-01', false, 'host:ws-01'],
    ['x -host:ws-01 y', 'host', 'ws-01', false, 'x host:ws-01 y'],
    ['host:ws-01', 'host', 'ws-01', true, '-host:ws-01'],
    ['a OR b', 'user', 'ana', false, '(a OR b) user:ana'],
    ['a OR host:ws-01', 'host', 'ws-01', false, '(a OR host:ws-01) host:ws-01'],
    ['a or -host:ws-01', 'host', 'ws-01', false, '(a or -host:ws-01) host:ws-01'],
    ['a or host:ws-01', 'host', 'ws-01', true, '(a or host:ws-01) -host:ws-01'],
    [undefined, 'process', 'C:\\Program Files\\"x".exe', false, 'process:"C:\\\\Program Files\\\\\\"x\\".exe"'],
    [undefined, 'raw.EventData.Image', 'a*b', false, 'raw.EventData.Image:"a*b"'],
    ['host:ws-01', 'host', 'ws-0', false, 'host:ws-01 host:ws-0'],
  ])('%s with %s of %s (not: %s) is %s', (line, name, value, not, want) => {
    expect(withCondition(line, name, value, not)).toBe(want);
  });
});

test('what is empty has no value, and the other way round', () => {
  expect(withCondition('a', 'user', null)).toBe('a -user:*');
  expect(withCondition('a -user:*', 'user', null, true)).toBe('a user:*');
});

describe('withConditions', () => {
  const both = [
    { name: 'host', value: 'ws-01' },
    { name: 'user', value: null },
  ];
  test('what has all of it', () => expect(withConditions('a', both)).toBe('a host:ws-01 -user:*'));
  test('what has all of it is left out, and not what has some of it', () => {
    expect(withConditions(undefined, both, true)).toBe('-(host:ws-01 -user:*)');
    expect(withConditions('a', both, true)).toBe('a -(host:ws-01 -user:*)');
    expect(withConditions('a or b', both, true)).toBe('(a or b) -(host:ws-01 -user:*)');
  });
  test('the same is left out once', () => {
    const once = withConditions('a', both, true);
    expect(withConditions(once, both, true)).toBe(once);
  });
  test('one alone needs no parentheses', () => expect(withConditions('', both.slice(0, 1), true)).toBe('-host:ws-01'));
});
