import { ApolloClient, ApolloLink, Observable } from '@apollo/client';
import { ApolloProvider } from '@apollo/client/react';
import { createMemoryHistory, createRootRoute, createRouter, RouterProvider } from '@tanstack/react-router';
import { act, fireEvent, render, screen, waitFor } from '@testing-library/react';
import { expect, test } from 'vitest';
import { createCache } from '../../api/client';
import { RuleLive } from './RuleLive';

type Push = (batch: object) => void;

/** A server that notes which texts are watched, and says what the test wants. */
function server() {
  const watched: { source: string; push: Push; open: boolean }[] = [];
  const link = new ApolloLink(
    ({ variables }) =>
      new Observable<ApolloLink.Result>((observer) => {
        const one = {
          source: variables.source as string,
          open: true,
          push: (batch: object) =>
            observer.next({ data: { ruleMatches: { __typename: 'RuleMatchBatch', cursor: 'c', ...batch } } }),
        };
        watched.push(one);
        return () => {
          one.open = false;
        };
      }),
  );
  return { link, watched };
}

const match = (host: string) => ({
  __typename: 'RuleTestResult',
  line: null,
  format: 'json',
  matches: true,
  sameLogSource: true,
  error: null,
  logSource: { __typename: 'LogSource', product: 'windows', category: 'process_creation', service: '' },
  fields: [
    { __typename: 'MatchedField', field: 'Image', value: `${host}.exe`, pattern: '*.exe', selection: 'selection' },
  ],
  event: { __typename: 'Event', id: host, occurredAt: '2026-11-28T00:00:00Z', host, message: '' },
});

function show(source: string, broken: boolean, link: ApolloLink) {
  const client = new ApolloClient({ cache: createCache(), link });
  const page = (source: string, broken: boolean) => {
    const root = createRootRoute({ component: () => <RuleLive source={source} broken={broken} /> });
    return createRouter({ routeTree: root, history: createMemoryHistory({ initialEntries: ['/'] }) });
  };
  return render(
    <ApolloProvider client={client}>
      <RouterProvider router={page(source, broken) as never} />
    </ApolloProvider>,
  );
}

test('nothing is watched until somebody wants it', async () => {
  const { link, watched } = server();
  show('title: a', false, link);
  const live = await screen.findByRole('switch', { name: 'Live' });
  expect(watched).toHaveLength(0);
  fireEvent.click(live);
  expect(await screen.findByText('Waiting for events.')).toBeTruthy();
  expect(watched.map(({ source }) => source)).toEqual(['title: a']);
  fireEvent.click(live);
  await waitFor(() => expect(watched[0]?.open).toBe(false));
});

test('matches come in, the latest first, and are counted over all messages', async () => {
  const { link, watched } = server();
  show('title: a', false, link);
  fireEvent.click(await screen.findByRole('switch', { name: 'Live' }));
  await screen.findByText('Waiting for events.');
  act(() => watched[0]?.push({ tried: 1_200, skipped: 0, matched: 2, matches: [match('web-1'), match('web-2')] }));
  act(() => watched[0]?.push({ tried: 34, skipped: 7, matched: 1, matches: [match('web-3')] }));
  expect(await screen.findByText(/It fires on 3 of 1,234/)).toBeTruthy();
  expect(screen.getByText(/7 more were not looked at/)).toBeTruthy();
  const shown = screen.getAllByRole('listitem').map((item) => item.textContent);
  expect(shown.map((text) => text?.match(/web-\d/)?.[0])).toEqual(['web-3', 'web-2', 'web-1']);
});

test('the list is bounded', async () => {
  const { link, watched } = server();
  show('title: a', false, link);
  fireEvent.click(await screen.findByRole('switch', { name: 'Live' }));
  await screen.findByText('Waiting for events.');
  for (let n = 0; n < 3; n++) {
    const matches = Array.from({ length: 40 }, (_, i) => match(`h-${n}-${i}`));
    act(() => watched[0]?.push({ tried: 40, skipped: 0, matched: 40, matches }));
  }
  expect(await screen.findByText(/It fires on 120 of 120/)).toBeTruthy();
  expect(screen.getAllByRole('listitem')).toHaveLength(50);
});

test('a broken rule is not watched', async () => {
  const { link, watched } = server();
  show('title: [', true, link);
  const live = await screen.findByRole('switch', { name: 'Live' });
  expect(live).toHaveProperty('disabled', true);
  expect(watched).toHaveLength(0);
});
