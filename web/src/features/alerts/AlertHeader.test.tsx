import { ApolloClient, ApolloLink } from '@apollo/client';
import { ApolloProvider } from '@apollo/client/react';
import { render, screen } from '@testing-library/react';
import { expect, test } from 'vitest';
import { createCache } from '../../api/client';
import { AlertHeader } from './AlertHeader';
import { type AlertHeaderFragment, AlertHeaderFragmentDoc } from './AlertHeader.generated';

const alert: AlertHeaderFragment = {
  __typename: 'Alert',
  id: 'a1',
  title: 'Encoded PowerShell',
  severity: 'HIGH',
  status: 'NEW',
  disposition: null,
  reason: '',
  assignee: null,
  count: 1,
  firstSeen: '2026-05-04T09:30:00Z',
  lastSeen: '2026-05-04T09:30:00Z',
  createdAt: '2026-05-04T09:30:00Z',
  acknowledgedAt: null,
  closedAt: null,
};

test('the heading takes the focus when it is told to, and only then', () => {
  const cache = createCache();
  const client = new ApolloClient({ cache, link: ApolloLink.empty(), dataMasking: true });
  cache.writeFragment({ fragment: AlertHeaderFragmentDoc, data: alert });
  const header = (focus: number) => (
    <ApolloProvider client={client}>
      <AlertHeader alert={alert as never} focus={focus} onClose={() => undefined} />
    </ApolloProvider>
  );
  const { rerender } = render(header(0));
  const heading = screen.getByRole('heading', { name: 'Encoded PowerShell' });
  expect(document.activeElement).toBe(document.body);
  rerender(header(1));
  expect(document.activeElement).toBe(heading);
  heading.blur();
  rerender(header(2));
  expect(document.activeElement, 'and again').toBe(heading);
});

test.each([
  ['merged into QWxlcnQ6MQ', false],
  ['merged into one by hand, see the ticket', true],
])('the reason of a merge is an id, which nobody reads: %s', (reason, shown) => {
  const client = new ApolloClient({ cache: createCache(), link: ApolloLink.empty(), dataMasking: true });
  const merged = { ...alert, status: 'CLOSED' as const, disposition: 'DUPLICATE' as const, reason };
  client.cache.writeFragment({ fragment: AlertHeaderFragmentDoc, data: merged });
  render(
    <ApolloProvider client={client}>
      <AlertHeader alert={alert as never} focus={0} onClose={() => undefined} />
    </ApolloProvider>,
  );
  expect(screen.getByText('Duplicate', { selector: '.font-semibold' })).toBeTruthy();
  expect(screen.queryByText(reason) !== null).toBe(shown);
});
