import { describe, expect, test } from 'vitest';
import { severities } from '../../nouns/severity/severity';
import { type AlertSearch, apiFilter, filtersOf, formatSearch, queryLineOf, readSearch, toggle } from './filters';

describe('the queue in the URL', () => {
  test.each<[Record<string, unknown>, AlertSearch, string]>([
    [{}, {}, 'the plain URL is the open queue'],
    [{ status: 'closed,new' }, { status: 'new,closed' }, 'values have one order'],
    [{ status: 'new,acknowledged,in_progress' }, {}, 'the default is not said'],
    [{ status: 'new,acknowledged,in_progress,closed' }, { status: 'all' }, 'all of them are "all"'],
    [{ severity: 'CRITICAL,bogus' }, { severity: 'critical' }, 'unknown values are left out'],
    [{ severity: 'bogus' }, {}, 'nothing known is the default'],
    [{ q: 4624 }, { q: '4624' }, 'a number in the URL is text'],
    [{ tab: 'history', alert: 'x' }, { tab: 'history', alert: 'x' }, 'the open alert and its tab'],
    [{ job: 7 }, { job: '7' }, 'the change of many alerts that can be undone'],
    [{ tab: 'overview', extra: '1' }, {}, 'foreign parameters go'],
  ])('%j becomes %j: %s', (raw, want) => {
    const search = readSearch(raw);
    expect(search).toEqual(want);
    expect(readSearch({ ...search }), 'reading again changes nothing').toEqual(search);
    expect(formatSearch(filtersOf(search), { alert: search.alert, tab: search.tab, job: search.job })).toEqual(search);
  });
});

describe('apiFilter', () => {
  test('says only what narrows', () => {
    expect(apiFilter(filtersOf({}))).toEqual({ status: { in: ['NEW', 'ACKNOWLEDGED', 'IN_PROGRESS'] } });
    expect(apiFilter(filtersOf({ status: 'all' }))).toEqual({});
    expect(apiFilter(filtersOf({ status: 'all', severity: 'high', q: 'web' }))).toEqual({
      severity: { in: ['HIGH'] },
      query: 'web',
    });
  });

  test('a facet is counted without its own condition', () => {
    const filters = filtersOf({ status: 'closed', severity: 'high' });
    expect(apiFilter(filters, 'statuses')).toEqual({ severity: { in: ['HIGH'] } });
    expect(apiFilter(filters, 'severities')).toEqual({ status: { in: ['CLOSED'] } });
  });
});

test('toggling: the first click shows one alone, the last one off shows all', () => {
  expect(toggle(severities, 'HIGH', severities)).toEqual(['HIGH']);
  expect(toggle(['HIGH'], 'CRITICAL', severities)).toEqual(['CRITICAL', 'HIGH']);
  expect(toggle(['HIGH'], 'HIGH', severities)).toEqual(severities);
});

test('the view that is kept says the chips and the line as one line', () => {
  expect(queryLineOf(filtersOf(readSearch({ severity: 'high,critical', q: 'a OR b' })))).toBe(
    'status:new,acknowledged,in_progress severity:critical,high (a OR b)',
  );
  expect(queryLineOf(filtersOf(readSearch({ status: 'all' })))).toBe('');
});

test('times and columns stand in the URL; what makes no sense is left out', () => {
  expect(readSearch({ since: '24h', cols: 'title,host,nonsense', chart: 'off' })).toEqual({
    since: '24h',
    cols: 'title,host',
    chart: 'off',
  });
  expect(apiFilter(filtersOf(readSearch({ status: 'all', since: '24h' })))).toEqual({ lastSeen: { gte: 'now-24h' } });
});

test('the order and the commonest values stand in the URL', () => {
  expect(readSearch({ sort: 'severity', values: 'source_ip' })).toEqual({ sort: 'severity', values: 'source_ip' });
  expect(readSearch({ sort: 'lastSeen', values: 'status' })).toEqual({});
});
