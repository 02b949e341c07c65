import { expect, test } from 'vitest';
import { apiFilter, formatGroup, groupOf, lineName, readSearch } from './filters';

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

test('columns stand in the URL in one order, and nonsense does not', () => {
  expect(readSearch({ cols: 'command,time,nonsense' })).toEqual({ cols: 'time,command' });
  expect(readSearch({ cols: 'nonsense' })).toEqual({});
});

test('a field has its name in a query line', () => {
  expect(lineName('HOST')).toBe('host');
  expect(lineName('SOURCE_IP')).toBe('sourceIp');
});

test.each<[unknown, string | undefined]>([
  ['user', 'user'],
  ['Host,USER', 'host,user'],
  ['host,nothing,host,user,class,action', 'host,user,class'],
  ['nothing', undefined],
  ['off', 'off'],
  [['host'], undefined],
])('grouped by %s is %s', (group, want) => expect(readSearch({ group }).group).toBe(want));

test('the usual field does not stand in the address', () => {
  expect(formatGroup(['HOST'])).toBeUndefined();
  expect(formatGroup(['HOST', 'USER'])).toBe('host,user');
  expect(groupOf(undefined)).toEqual(['HOST']);
  expect(groupOf('host,source_ip')).toEqual(['HOST', 'SOURCE_IP']);
});
