// A change shows at once; a refusal takes it back and says who was faster, and how.
import { ApolloClient, ApolloLink, Observable } from '@apollo/client';
import { ApolloProvider } from '@apollo/client/react';
import { act, renderHook } from '@testing-library/react';
import type { ReactNode } from 'react';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createCache } from '../../api/client';
import { ViewerDocument } from '../../nouns/user/Viewer.generated';
import * as notices from '../../ui/notices';
import { AlertActionsFragmentDoc } from './AlertActions.generated';
import { type AlertRowFragment, AlertRowFragmentDoc } from './AlertRow.generated';
import { useAlertActions } from './useAlertActions';

const ana = { __typename: 'User' as const, id: 'u1', name: 'ana', displayName: 'Ana', role: 'ANALYST' as const };
const ben = { __typename: 'User' as const, id: 'u2', name: 'ben', displayName: 'Ben', role: 'ANALYST' as const };
const alert: AlertRowFragment = {
  __typename: 'Alert',
  id: 'a1',
  version: 1,
  title: 'Encoded PowerShell',
  severity: 'HIGH',
  status: 'NEW',
  disposition: null,
  assignee: null,
  count: 1,
  firstSeen: '2026-05-04T09:30:00Z',
  lastSeen: '2026-05-04T09:30:00Z',
  createdAt: '2026-05-04T09:30:00Z',
  host: 'ws-01',
  user: 'ana',
  source: { __typename: 'Endpoint', ip: null, port: null },
  destination: { __typename: 'Endpoint', ip: null, port: null },
  process: '',
  tags: [],
  incident: null,
  techniques: [],
};
const changed = {
  __typename: 'Alert',
  id: 'a1',
  latestChanges: {
    __typename: 'JournalConnection',
    nodes: [
      { action: 'alert.claim', changes: [] },
      {
        action: 'alert.acknowledge',
        changes: [
          { field: 'status', before: 'NEW', after: 'ACKNOWLEDGED' },
          { field: 'assignee', before: null, after: 'Ben' },
          { field: 'acknowledgedAt', before: null, after: '2026-05-04T09:31:00Z' },
        ],
      },
    ].map(({ action, changes }) => ({
      __typename: 'JournalEntry',
      at: '2026-05-04T09:31:00Z',
      action,
      changes: changes.map((change) => ({ __typename: 'FieldChange', ...change })),
      actor: { __typename: 'Actor', kind: 'USER', name: 'ben', user: ben },
    })),
  },
};

/** The server, which answers a change when the test says so. */
class Source extends ApolloLink {
  asked: unknown = null;
  answer: (problem?: { code: string; message: string }, now?: Partial<AlertRowFragment>) => void = () => {};
  fail: (error: Error) => void = () => {};

  constructor() {
    super((operation) => {
      return new Observable((observer) => {
        if (operation.operationName === 'AlertLatestChange') {
          observer.next({ data: { alert: changed } });
          observer.complete();
          return;
        }
        this.asked = operation.variables.input;
        this.fail = (error) => observer.error(error);
        this.answer = (problem, now) => {
          const field = `${operation.operationName?.charAt(0).toLowerCase()}${operation.operationName?.slice(1)}`;
          observer.next({
            data: {
              [field]: {
                __typename: 'AlertPayload',
                alert: {
                  ...alert,
                  reason: null,
                  acknowledgedAt: null,
                  closedAt: null,
                  ruleSeverity: 'HIGH',
                  mergedInto: null,
                  ...now,
                },
                errors: problem ? [{ __typename: 'UserError', path: null, ...problem }] : [],
              },
            },
          });
          observer.complete();
        };
      });
    });
  }
}

function setUp() {
  const source = new Source();
  const cache = createCache();
  const client = new ApolloClient({ cache, link: source, dataMasking: true });
  cache.writeFragment({ fragment: AlertRowFragmentDoc, fragmentName: 'AlertRow', data: alert });
  cache.writeQuery({
    query: ViewerDocument,
    data: { viewer: { __typename: 'Viewer', role: 'ANALYST', serverVersion: '1', user: ana } },
  });
  const told = vi.spyOn(notices, 'notify').mockReturnValue();
  const wrapper = ({ children }: { children: ReactNode }) => (
    <ApolloProvider client={client}>{children}</ApolloProvider>
  );
  const { result } = renderHook(useAlertActions, { wrapper });
  const shown = () => {
    const now = cache.readFragment(
      { fragment: AlertActionsFragmentDoc, fragmentName: 'AlertActions', id: 'Alert:a1' },
      true,
    );
    return `${now?.status} ${now?.assignee?.displayName ?? 'nobody'} @${now?.version}`;
  };
  const row = () =>
    cache.readFragment({ fragment: AlertRowFragmentDoc, fragmentName: 'AlertRow', id: 'Alert:a1' }, true);
  return { source, actions: result.current, shown, row, told };
}

describe('changing an alert', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test('shows at once, and then what the server says', async () => {
    const { source, actions, shown, told } = setUp();
    const done = actions.acknowledge(alert);
    await act(() => vi.advanceTimersByTimeAsync(0));
    expect(shown()).toBe('ACKNOWLEDGED Ana @1');
    source.answer(undefined, { version: 2, status: 'ACKNOWLEDGED', assignee: ana });
    expect(await done).toBe(true);
    expect(shown()).toBe('ACKNOWLEDGED Ana @2');
    expect(told).not.toHaveBeenCalled();
  });

  test('a conflict takes it back to what is there now, and says who changed what', async () => {
    const { source, actions, shown, told } = setUp();
    const done = actions.close(alert, 'BENIGN', 'known');
    await act(() => vi.advanceTimersByTimeAsync(0));
    expect(shown()).toBe('CLOSED nobody @1');
    source.answer(
      { code: 'CONFLICT', message: 'changed since' },
      { version: 2, status: 'ACKNOWLEDGED', assignee: ben },
    );
    expect(await done).toBe(false);
    expect(shown()).toBe('ACKNOWLEDGED Ben @2');
    expect(told).toHaveBeenCalledWith(
      'warn',
      'Ben was faster: acknowledged. Status: New → Acknowledged; Assignee: nobody → Ben. Nothing was changed; look at it as it is now and decide again.',
    );
  });

  test('a request that fails takes it back too', async () => {
    const { source, actions, shown, told } = setUp();
    const done = actions.acknowledge(alert);
    await act(() => vi.advanceTimersByTimeAsync(0));
    expect(shown()).toBe('ACKNOWLEDGED Ana @1');
    source.fail(new Error('no network'));
    expect(await done).toBe(false);
    expect(shown()).toBe('NEW nobody @1');
    expect(told).toHaveBeenCalledWith('error', expect.stringMatching(/\.$/));
  });

  test('somebody who is not known here is not shown before the server says who it is', async () => {
    const { source, actions, shown } = setUp();
    const done = actions.assign(alert, 'stranger');
    await act(() => vi.advanceTimersByTimeAsync(0));
    expect(shown(), 'the row stays whole').toBe('NEW nobody @1');
    source.answer(undefined, { version: 2, assignee: { ...ben, id: 'stranger' } });
    expect(await done).toBe(true);
  });

  test('a severity and tags show at once, and go back when they are refused', async () => {
    const { source, actions, row, told } = setUp();
    const worse = actions.setSeverity(alert, 'CRITICAL', 'CRITICAL');
    await act(() => vi.advanceTimersByTimeAsync(0));
    expect(row()?.severity).toBe('CRITICAL');
    expect(source.asked).toEqual({ id: 'a1', expectedVersion: 1, severity: 'CRITICAL' });
    source.answer(undefined, { version: 2, severity: 'CRITICAL' });
    expect(await worse).toBe(true);

    const back = actions.setSeverity({ id: 'a1', version: 2 }, null, 'HIGH');
    await act(() => vi.advanceTimersByTimeAsync(0));
    expect(row()?.severity).toBe('HIGH');
    expect(source.asked, 'the override is taken back').toMatchObject({ severity: null });
    source.answer(undefined, { version: 3 });
    await back;

    const tagging = actions.tag({ id: 'a1', version: 3 }, { tags: [], add: ['vip'] });
    await act(() => vi.advanceTimersByTimeAsync(0));
    expect(row()?.tags).toEqual(['vip']);
    source.answer({ code: 'BAD_INPUT', message: 'a tag is one line of text' }, { version: 3 });
    expect(await tagging).toBe(false);
    expect(row()?.tags).toEqual([]);
    expect(told).toHaveBeenLastCalledWith('error', 'A tag is one line of text.');
  });

  test('what is merged is closed at once; a refusal says what the server says, as any of them may be why', async () => {
    const { source, actions, row, told } = setUp();
    const merging = actions.merge({ id: 'a2', version: 4 }, ['a1']);
    await act(() => vi.advanceTimersByTimeAsync(0));
    expect(row()?.status).toBe('CLOSED');
    expect(source.asked).toEqual({ id: 'a2', expectedVersion: 4, from: ['a1'] });
    source.answer({ code: 'CONFLICT', message: 'the alert "x" is merged into another already; detach it first' });
    expect(await merging).toBe(false);
    expect(row()?.status).toBe('NEW');
    expect(told).toHaveBeenLastCalledWith(
      'warn',
      'The alert "x" is merged into another already; detach it first. Nothing was changed.',
    );
  });
});
