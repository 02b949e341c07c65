import { expect, test } from 'vitest';
import { apiFilter, readSearch, withCondition } from './filters';

test('the URL is read, and what makes no sense is left out', () => {
  expect(readSearch({ q: 4688, class: 'Process_Activity', severity: 'bogus', host: '', page: 3 })).toEqual({
    q: '4688',
    class: 'process_activity',
  });
});

test('the filter says only what narrows', () => {
  expect(apiFilter({})).toEqual({});
  expect(apiFilter({ q: 'mimikatz', class: 'process_activity', severity: 'high', host: 'web-1', user: 'ana' })).toEqual(
    {
      query: 'mimikatz',
      class: { eq: 'PROCESS_ACTIVITY' },
      severity: { gte: 'HIGH' },
      host: { eq: 'web-1' },
      user: { eq: 'ana' },
    },
  );
});

test('a value becomes a condition, once', () => {
  expect(withCondition(undefined, 'HOST', 'ws-01')).toBe('host:ws-01');
  expect(withCondition('host:ws-01', 'HOST', 'ws-01')).toBe('host:ws-01');
  expect(withCondition('a OR b', 'SOURCE_IP', '10.0.0.1', true)).toBe('(a OR b) -sourceIp:10.0.0.1');
  expect(withCondition('x', 'USER', 'corp\\ana "a"')).toBe('x user:"corp\\\\ana \\"a\\""');
});
