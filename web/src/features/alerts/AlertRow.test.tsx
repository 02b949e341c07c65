import { ApolloClient, ApolloLink } from '@apollo/client';
import { ApolloProvider } from '@apollo/client/react';
import { act, render, screen } from '@testing-library/react';
import { expect, test } from 'vitest';
import { createCache } from '../../api/client';
import { AlertRow } from './AlertRow';
import { type AlertRowFragment, AlertRowFragmentDoc } from './AlertRow.generated';
import { layoutOf } from './columns';

const alert: AlertRowFragment = {
  __typename: 'Alert',
  id: 'a1',
  version: 1,
  title: 'Encoded PowerShell',
  severity: 'HIGH',
  status: 'NEW',
  disposition: null,
  assignee: null,
  count: 1200,
  firstSeen: '2026-05-04T09:30:00.000000Z',
  lastSeen: '2026-05-04T09:30:00.000000Z',
  createdAt: '2026-05-04T09:30:00.000000Z',
  host: 'ws-01',
  user: 'ana',
  source: { __typename: 'Endpoint', ip: '10.0.0.5', port: null },
  destination: { __typename: 'Endpoint', ip: '203.0.113.9', port: 443 },
  process: '',
  tags: [],
  incident: null,
  techniques: ['T1059.001'],
};

test('a row shows its alert, and follows the cache', async () => {
  const cache = createCache();
  const client = new ApolloClient({ cache, link: ApolloLink.empty(), dataMasking: true });
  cache.writeFragment({ fragment: AlertRowFragmentDoc, data: alert });
  render(
    <ApolloProvider client={client}>
      <AlertRow id="a1" gone={false} layout={layoutOf(undefined, true)} selected={false} onSelect={() => undefined} />
    </ApolloProvider>,
  );
  expect(screen.getByText('High')).toBeTruthy();
  expect(screen.getByText('1,200')).toBeTruthy();
  expect(screen.getByText('10.0.0.5 → 203.0.113.9:443')).toBeTruthy();
  act(() => {
    cache.writeFragment({ fragment: AlertRowFragmentDoc, data: { ...alert, version: 2, status: 'ACKNOWLEDGED' } });
  });
  expect(await screen.findByText('Acknowledged')).toBeTruthy();
});

test('on a phone host and user stand below the name, unless columns were chosen', () => {
  const cache = createCache();
  const client = new ApolloClient({ cache, link: ApolloLink.empty(), dataMasking: true });
  cache.writeFragment({ fragment: AlertRowFragmentDoc, data: { ...alert, host: 'ws\u200b-01' } });
  const row = (cols?: string) => (
    <ApolloProvider client={client}>
      <AlertRow id="a1" gone={false} layout={layoutOf(cols, true)} selected={false} onSelect={() => undefined} />
    </ApolloProvider>
  );
  const { rerender } = render(row());
  expect(screen.getByText('ws⟨U+200B⟩-01 · ana').className).toContain('@min-[36rem]:hidden');
  rerender(row('severity,title,host'));
  expect(screen.queryByText(/ · ana/)).toBeNull();
});

test('a row whose alert is not at hand says that it is loading', () => {
  const client = new ApolloClient({ cache: createCache(), link: ApolloLink.empty(), dataMasking: true });
  const { container } = render(
    <ApolloProvider client={client}>
      <AlertRow id="none" gone={false} layout={layoutOf(undefined, true)} selected={false} onSelect={() => undefined} />
    </ApolloProvider>,
  );
  expect(container.textContent).toBe('Loading');
});

test('whoever can change nothing has no box to select with, and as many columns as widths', () => {
  const cache = createCache();
  const client = new ApolloClient({ cache, link: ApolloLink.empty(), dataMasking: true });
  cache.writeFragment({ fragment: AlertRowFragmentDoc, data: alert });
  for (const cols of [undefined, 'severity,title']) {
    for (const selects of [true, false]) {
      const layout = layoutOf(cols, selects);
      const { container, unmount } = render(
        <ApolloProvider client={client}>
          <AlertRow id="a1" gone={false} layout={layout} selected={false} onSelect={() => undefined} />
        </ApolloProvider>,
      );
      expect(screen.queryAllByRole('checkbox')).toHaveLength(selects ? 1 : 0);
      expect(container.children).toHaveLength(layout.columns.length);
      const widths = layout.template.split(' ')[0]?.replace('grid-cols-[', '').split('_');
      if (!cols) expect(widths).toHaveLength(layout.columns.length);
      unmount();
    }
  }
});
