import { describe, expect, test } from 'vitest';
import { healthProblems, problemsOf, type Replica } from './problems';

const well: Replica = {
  __typename: 'Replica',
  name: 'a',
  version: '1',
  startedAt: '2026-01-02T03:04:05Z',
  databaseSeconds: 0.002,
  behind: 0,
  redis: true,
  subscriptions: 1,
  connections: 1,
  ingestWaiting: 0,
  ingestPlaces: 256,
  jobsRunning: 0,
  jobPlaces: 4,
  exportsRunning: 0,
  exportPlaces: 2,
  rulesRunning: 50,
};

const of = (replicas: Replica[], complete = true, lagSeconds = 0) =>
  healthProblems({
    serverHealth: { __typename: 'ServerHealth', complete, replicas },
    viewer: { feeds: [{ operation: 'Watch', lagSeconds }] },
  } as unknown as Parameters<typeof healthProblems>[0]);

describe('the state of the system', () => {
  test('nothing is said where all is well', () => expect(of([well, { ...well, name: 'b' }])).toEqual([]));

  test.each<[Partial<Replica>, RegExp]>([
    [{ databaseSeconds: null }, /no answer from the database/],
    [{ databaseSeconds: 0.4 }, /waits long/],
    [{ redis: false }, /without Redis/],
    [{ behind: 1_200 }, /1,200 entries/],
    [{ ingestWaiting: 200 }, /more events waiting/],
  ])('%j is told', (change, said) => expect(problemsOf({ ...well, ...change }).join()).toMatch(said));

  test('what is little is not told', () => {
    expect(problemsOf({ ...well, behind: 20, ingestWaiting: 30, databaseSeconds: 0.1 })).toEqual([]);
  });

  test('a silent replica, two versions and a late feed are told', () => {
    const told = of([well, { ...well, name: 'b', version: '2' }], false, 12);
    expect(told).toHaveLength(3);
    expect(told[0]).toMatch(/does not answer/);
    expect(told[1]).toMatch(/different versions/);
    expect(told[2]).toMatch(/Watch is 12 s behind/);
  });
});
