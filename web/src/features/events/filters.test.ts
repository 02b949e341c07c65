import { expect, test } from 'vitest';
import { apiFilter, lineName, readSearch } from './filters';

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
