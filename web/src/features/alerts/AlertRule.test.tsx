import { ApolloClient, ApolloLink } from '@apollo/client';
import { ApolloProvider } from '@apollo/client/react';
import { render, screen } from '@testing-library/react';
import { expect, test } from 'vitest';
import { createCache } from '../../api/client';
import { AlertRule } from './AlertRule';
import { type AlertRuleFragment, AlertRuleFragmentDoc } from './AlertRule.generated';

const rule = {
  __typename: 'Rule',
  id: 'r1',
  version: 2,
  title: 'Login refused, mended',
  description: 'Now.',
  level: 'HIGH',
  status: 'test',
  author: 'Somebody else',
  references: ['https://example.com/now'],
  falsePositives: ['Nothing'],
  tags: [],
  techniques: [],
  logSource: { __typename: 'LogSource', product: 'shop', category: '', service: '' },
  source: 'title: now',
  path: 'rules/shop.yml',
  enabled: true,
  state: 'ACTIVE',
  stateReason: null,
  updatedAt: '2026-11-27T00:00:00Z',
};

const fired = {
  __typename: 'FiredRule',
  version: 1,
  title: 'Login refused',
  description: 'Then.',
  level: 'LOW',
  author: 'Ana',
  references: ['https://example.com/then'],
  falsePositives: ['Backups'],
  fields: ['user', 'host'],
  source: 'title: then',
};

function show(firedRule: typeof fired | null) {
  const alert = {
    __typename: 'Alert',
    id: 'a1',
    ruleAuthor: 'Ana',
    ruleVersion: 1,
    indicator: null,
    rule,
    firedRule,
  } as unknown as AlertRuleFragment;
  const cache = createCache();
  cache.writeFragment({ fragment: AlertRuleFragmentDoc, fragmentName: 'AlertRule', data: alert as never });
  const client = new ApolloClient({ cache, link: ApolloLink.empty() });
  return render(
    <ApolloProvider client={client}>
      <AlertRule alert={alert as never} />
    </ApolloProvider>,
  );
}

test('the rule stands as it was when it fired', () => {
  show(fired);
  expect(screen.getByText(/version 1, which fired; the rule is at version 2 now/)).toBeTruthy();
  for (const then of ['Login refused', 'Then.', 'Ana', 'https://example.com/then', 'Backups', 'user, host'])
    expect(screen.getByText(then)).toBeTruthy();
  for (const now of ['Login refused, mended', 'Somebody else', 'https://example.com/now', 'Nothing'])
    expect(screen.queryByText(now)).toBeNull();
});

test('what cannot be read any more is said, and the rule stands as it is', () => {
  show(null);
  expect(screen.getByText('Version 1 of the rule fired; this is version 2.')).toBeTruthy();
  expect(screen.getByText('Somebody else')).toBeTruthy();
});
