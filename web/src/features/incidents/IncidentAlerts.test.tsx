import { ApolloClient, ApolloLink, Observable } from '@apollo/client';
import { ApolloProvider } from '@apollo/client/react';
import { act, fireEvent, render, screen, waitFor } from '@testing-library/react';
import type { ReactNode } from 'react';
import { expect, test, vi } from 'vitest';
import { createCache } from '../../api/client';
import { IncidentAlerts } from './IncidentAlerts';
import type { IncidentDetail } from './IncidentPage';

// Many rows are drawn: a busy machine takes its time.
vi.setConfig({ testTimeout: 30_000 });

vi.mock('@tanstack/react-router', () => ({
  Link: ({ children }: { children: ReactNode }) => <a href="#alert">{children}</a>,
  getRouteApi: () => ({}),
}));
let concerns: (changed: ReadonlyMap<string, number>) => boolean = () => false;
let look: () => void = () => undefined;
vi.mock('../../live/pulse', () => ({
  usePulse: (onLook: () => void, _: number, which: typeof concerns) => {
    look = onLook;
    concerns = which;
  },
}));

/** An incident of 120 alerts. */
class Alerts extends ApolloLink {
  status = 'NEW';
  fails = false;

  override request({ variables: { first, after } }: ApolloLink.Operation) {
    return new Observable<ApolloLink.Result>((observer) => {
      if (this.fails) {
        observer.error(new Error('no answer'));
        return;
      }
      const from = after ? Number(after) : 0;
      const end = Math.min(120, from + first);
      const nodes = Array.from({ length: end - from }, (_, n) => ({
        __typename: 'Alert',
        id: `a${from + n}`,
        title: `Alert ${from + n} ${this.status}`,
        severity: 'HIGH',
        status: this.status,
        disposition: null,
        count: 1,
        host: 'ws-01',
        user: '',
        lastSeen: '2026-05-04T09:30:00Z',
      }));
      const pageInfo = { __typename: 'PageInfo', hasNextPage: end < 120, endCursor: String(end) };
      observer.next({
        data: {
          incident: {
            __typename: 'Incident',
            id: 'i1',
            alerts: { __typename: 'AlertConnection', nodes, pageInfo },
          },
        },
      });
      observer.complete();
    });
  }
}

const incident = { id: 'i1', version: 1, alertCount: 120 } as IncidentDetail;

test('what is shown stays shown and is kept right', async () => {
  const server = new Alerts();
  const client = new ApolloClient({ cache: createCache(), link: server });
  const page = (round: number) => (
    <ApolloProvider client={client}>
      <IncidentAlerts incident={incident} round={round} mayWork={false} />
    </ApolloProvider>
  );
  const { rerender } = render(page(0));
  const rows = () => screen.getAllByRole('listitem');
  await waitFor(() => expect(rows()).toHaveLength(50));

  server.fails = true;
  fireEvent.click(screen.getByRole('button', { name: 'Load more' }));
  const again = await screen.findByRole('button', { name: 'Try again' });
  server.fails = false;
  fireEvent.click(again);
  await waitFor(() => expect(rows()).toHaveLength(100));

  // One of the second page changes.
  server.status = 'CLOSED';
  expect(concerns(new Map([['a77', 2]]))).toBe(true);
  expect(concerns(new Map([['elsewhere', 2]]))).toBe(false);
  act(() => look());
  await screen.findByText('Alert 77 CLOSED');
  expect(rows()).toHaveLength(100);

  // The incident itself changes.
  server.status = 'NEW';
  rerender(page(1));
  await screen.findByText('Alert 77 NEW');
  expect(rows()).toHaveLength(100);
});
