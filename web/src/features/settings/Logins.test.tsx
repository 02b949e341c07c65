// Whose logins are listed and ended: an administrator must not log everybody out.
import { ApolloClient, ApolloLink, Observable } from '@apollo/client';
import { ApolloProvider } from '@apollo/client/react';
import { fireEvent, render, screen, waitFor } from '@testing-library/react';
import { expect, test } from 'vitest';
import { createCache } from '../../api/client';
import { Logins } from './Logins';

const asked: [string, unknown][] = [];
let sessions = 3;

function show(own: boolean) {
  asked.length = 0;
  sessions = 3;
  const link = new ApolloLink(
    ({ operationName = '', variables }) =>
      new Observable<ApolloLink.Result>((observer) => {
        asked.push([operationName, variables]);
        const nodes = Array.from({ length: sessions }, (_, n) => ({
          __typename: 'Session',
          id: `s${n}`,
          createdAt: '2026-05-04T09:30:00Z',
          lastUsedAt: '2026-05-04T09:30:00Z',
          expiresAt: '2026-06-04T09:30:00Z',
          address: `192.0.2.${n}`,
          agent: 'curl/8.9.1',
          current: own && n === 0,
        }));
        const pageInfo = { __typename: 'PageInfo', hasNextPage: false };
        if (operationName === 'Logins')
          observer.next({ data: { sessions: { __typename: 'SessionConnection', nodes, pageInfo } } });
        else {
          sessions = operationName === 'SessionRevokeAll' ? (own ? 1 : 0) : sessions - 1;
          const field = operationName.charAt(0).toLowerCase() + operationName.slice(1);
          observer.next({ data: { [field]: { __typename: 'SessionRevokePayload', errors: [] } } });
        }
        observer.complete();
      }),
  );
  render(
    <ApolloProvider client={new ApolloClient({ cache: createCache(), link })}>
      <Logins user={{ id: 'u1', displayName: 'Ana' }} own={own} />
    </ApolloProvider>,
  );
}

test('one ends, then all others; the one that asks stays and is marked', async () => {
  show(true);
  await waitFor(() => expect(screen.getAllByRole('button', { name: /^End the login/ })).toHaveLength(2));
  expect(screen.getByText('This one')).toBeTruthy();
  fireEvent.click(screen.getByRole('button', { name: 'End the login with curl 8 from 192.0.2.2' }));
  await waitFor(() => expect(screen.getAllByRole('button', { name: /^End the login/ })).toHaveLength(1));
  fireEvent.click(screen.getByRole('button', { name: 'End all others' }));
  await waitFor(() => expect(screen.queryByRole('button')).toBeNull());
  expect(asked.filter(([name]) => name !== 'Logins')).toEqual([
    ['SessionRevoke', { input: { id: 's2' } }],
    ['SessionRevokeAll', { input: { user: 'u1' } }],
  ]);
  for (const [name, variables] of asked) if (name === 'Logins') expect(variables).toEqual({ user: 'u1' });
});

test('of somebody else all end', async () => {
  show(false);
  fireEvent.click(await screen.findByRole('button', { name: 'End all' }));
  expect(await screen.findByText('Ana is logged in nowhere.')).toBeTruthy();
});
