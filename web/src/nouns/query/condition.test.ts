import { describe, expect, test } from 'vitest';
import { withCondition } from './condition';

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
