import { ApolloClient, ApolloLink, InMemoryCache, Observable } from '@apollo/client';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { type AlertRowFragment, AlertRowFragmentDoc } from './AlertRow.generated';
import { RowData } from './rowData';

const row = (id: string, version = 1, assignee: AlertRowFragment['assignee'] = null): AlertRowFragment => ({
  __typename: 'Alert',
  id,
  version,
  title: `Alert ${id}`,
  severity: 'HIGH',
  status: 'NEW',
  disposition: null,
  assignee,
  count: 1,
  firstSeen: '2026-05-04T09:30:00Z',
  lastSeen: '2026-05-04T09:30:00Z',
  createdAt: '2026-05-04T09:30:00Z',
  host: 'ws-1',
  user: 'ana',
  source: { __typename: 'Endpoint', ip: null, port: null },
  destination: { __typename: 'Endpoint', ip: null, port: null },
  techniques: [],
  process: '',
  tags: [],
  incident: null,
});

describe('RowData', () => {
  /** What the server was asked for, and how it is answered. */
  let asked: string[][];
  let answer: (data: { nodes: unknown[] } | Error) => void;
  let missing: string[];
  let cache: InMemoryCache;
  let rows: RowData;

  beforeEach(() => {
    asked = [];
    missing = [];
    cache = new InMemoryCache();
    const link = new ApolloLink(
      (operation) =>
        new Observable((observer) => {
          asked.push(operation.variables.ids as string[]);
          answer = (data) => {
            if (data instanceof Error) return observer.error(data);
            observer.next({ data });
            observer.complete();
          };
        }),
    );
    rows = new RowData(new ApolloClient({ cache, link }), (ids) => missing.push(...ids));
  });

  const titleOf = (id: string) =>
    cache.readFragment({ fragment: AlertRowFragmentDoc, fragmentName: 'AlertRow', id: `Alert:${id}` })?.version;

  test('keeps what is near, lets the rest go, and reads it again when it is wanted', async () => {
    rows.write([row('a'), row('b'), row('c')]);
    rows.keepOnly(new Set(['b']));
    expect([titleOf('a'), titleOf('b'), titleOf('c')]).toEqual([undefined, 1, undefined]);
    const reading = rows.want(['a', 'b']);
    expect(asked, 'only what is not there').toEqual([['a']]);
    rows.want(['a']);
    expect(asked.length, 'not twice while it is on its way').toBe(1);
    answer({ nodes: [row('a', 2)] });
    await reading;
    expect(titleOf('a')).toBe(2);
  });

  test('what the feed brings while a row is read is newer than the answer', async () => {
    const reading = rows.want(['a']);
    rows.update(cache, row('a', 7), false);
    answer({ nodes: [row('a', 6)] });
    await reading;
    expect(titleOf('a')).toBe(7);
  });

  test('a version that is older than the one at hand changes nothing', () => {
    rows.write([row('a', 7)]);
    rows.write([row('a', 6)]);
    expect(titleOf('a')).toBe(7);
    rows.update(cache, row('a', 8), false);
    expect(titleOf('a')).toBe(8);
  });

  test('the cache keeps nothing of alerts that were let go', () => {
    // What the cache notes for each field that was ever modified has no end.
    const storage = (cache as unknown as { data: { storageTrie: { strong?: Map<unknown, unknown> } } }).data
      .storageTrie;
    for (let n = 0; n < 100; n++) {
      rows.update(cache, row(`n${n}`), true);
      rows.update(cache, row(`n${n}`, 2), false);
    }
    rows.keepOnly(new Set());
    expect(storage.strong?.size ?? 0).toBe(0);
    expect(Object.keys(cache.extract())).not.toContain('Alert:n1');
  });

  test('changes of rows that are far away are not kept', () => {
    rows.write([row('near')]);
    rows.update(cache, row('far', 2), false);
    rows.update(cache, row('near', 2), false);
    rows.update(cache, row('new'), true);
    expect([titleOf('far'), titleOf('near'), titleOf('new')]).toEqual([undefined, 2, 1]);
  });

  test('many are read at once, in portions, and only those that are not at hand', async () => {
    rows.write([row('n0', 3)]);
    const ids = Array.from({ length: 150 }, (_, n) => `n${n}`);
    const reading = rows.read(ids);
    answer({ nodes: (asked.at(-1) ?? []).map((id) => row(id)) });
    await vi.waitFor(() => expect(asked).toHaveLength(2));
    answer({ nodes: [null, ...(asked.at(-1) ?? []).slice(1).map((id) => row(id))] });
    const found = await reading;
    expect(asked.map((each) => each.length)).toEqual([100, 49]);
    expect([found.length, found[0]?.version], 'without the one that is gone').toEqual([149, 3]);
    expect(titleOf('n5'), 'nothing more is kept').toBeUndefined();
  });

  test('an alert that only another screen has read is read anew: nothing keeps it right', async () => {
    cache.writeFragment({ fragment: AlertRowFragmentDoc, fragmentName: 'AlertRow', data: row('a', 1) });
    const reading = rows.read(['a']);
    expect(asked).toEqual([['a']]);
    answer({ nodes: [row('a', 4)] });
    expect((await reading)[0]?.version).toBe(4);
  });

  test('what comes after the list was left is neither kept nor told, and is again once it is back', async () => {
    const reading = rows.want(['a', 'b']);
    rows.close();
    answer({ nodes: [row('a'), null] });
    await reading;
    expect([titleOf('a'), missing]).toEqual([undefined, []]);
    rows.open();
    const again = rows.want(['a']);
    answer({ nodes: [row('a')] });
    await again;
    expect(titleOf('a')).toBe(1);
  });

  test('an alert that is no longer there is told; one that could not be read is not', async () => {
    const reading = rows.want(['a', 'b']);
    answer({ nodes: [null, row('b')] });
    await reading;
    expect(missing).toEqual(['a']);
    const failing = rows.want(['c']);
    answer(new Error('away'));
    await expect(failing).rejects.toThrow('away');
    expect(missing).toEqual(['a']);
    rows.want(['c']);
    expect(asked.at(-1), 'it can be wanted again').toEqual(['c']);
  });

  test('nothing stays behind after thousands of alerts have come and gone', () => {
    for (let n = 0; n < 5_000; n++) {
      const assignee = { __typename: 'User', id: `u${n}`, name: 'ana', displayName: 'Ana' } as const;
      rows.write([row(`a${n}`, 1, assignee)]);
      rows.update(cache, row(`a${n}`, 2, assignee), false);
      rows.keepOnly(new Set([`a${n}`]));
    }
    const left = Object.keys(cache.extract());
    expect(left.filter((key) => key.startsWith('Alert:'))).toEqual(['Alert:a4999']);
    expect(left.filter((key) => key.startsWith('User:')).length, 'collected now and then').toBeLessThanOrEqual(2_001);
    rows.close();
    cache.gc();
    expect(Object.keys(cache.extract()).filter((key) => /^(Alert|User):/.test(key))).toEqual([]);
  });
});
