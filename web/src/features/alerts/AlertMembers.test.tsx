import { ApolloClient, ApolloLink } from '@apollo/client';
import { ApolloProvider } from '@apollo/client/react';
import { render, screen, within } from '@testing-library/react';
import { expect, test } from 'vitest';
import { createCache } from '../../api/client';
import { AlertMembers } from './AlertMembers';
import { type AlertMembersFragment, AlertMembersFragmentDoc } from './AlertMembers.generated';

type Member = AlertMembersFragment['members']['nodes'][number];

const failed: Member = {
  __typename: 'AlertMember',
  occurredAt: '2026-05-04T09:30:01Z',
  value: 'root',
  rule: { __typename: 'Rule', id: 'r1', title: 'Failed login' },
  event: { __typename: 'Event', id: 'e1', message: 'Failed password for root', host: 'web-1' },
};
const gone: Member = {
  __typename: 'AlertMember',
  occurredAt: '2026-05-04T09:31:00Z',
  value: '',
  rule: null,
  event: null,
};

function show(nodes: Member[], hasNextPage = false) {
  const alert: AlertMembersFragment = {
    __typename: 'Alert',
    id: 'a1',
    members: {
      __typename: 'AlertMemberConnection',
      nodes,
      pageInfo: { __typename: 'PageInfo', hasNextPage, endCursor: null },
    },
  } as AlertMembersFragment;
  const cache = createCache();
  cache.writeFragment({ fragment: AlertMembersFragmentDoc, data: alert });
  const client = new ApolloClient({ cache, link: ApolloLink.empty(), dataMasking: true });
  return render(
    <ApolloProvider client={client}>
      <AlertMembers alert={alert as never} />
    </ApolloProvider>,
  );
}

test('each event stands with the rule that found it, in the order of time', () => {
  show([failed, gone], true);
  const rows = screen.getAllByRole('listitem');
  expect(rows).toHaveLength(2);
  const first = rows[0] as HTMLElement;
  expect(within(first).getByText('Failed login')).toBeTruthy();
  expect(within(first).getByText('Failed password for root')).toBeTruthy();
  expect(within(first).getByText('root')).toBeTruthy();
  const second = rows[1] as HTMLElement;
  expect(within(second).getByText('A rule that has been deleted')).toBeTruthy();
  expect(within(second).getByText('The event is past retention.')).toBeTruthy();
  expect(screen.getByText('The earliest 2 are shown.')).toBeTruthy();
});

test('an alert that no correlation raised shows nothing of it', () => {
  const { container } = show([]);
  expect(container.textContent).toBe('');
});
