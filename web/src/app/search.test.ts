import { createMemoryHistory, createRootRoute, createRoute, createRouter } from '@tanstack/react-router';
import { expect, test } from 'vitest';
import { readSearch } from '../features/events/filters';
import { only } from './search';

test.each([
  ['/events?since=now-24h', {}],
  ['/events?since=24h&severity=bogus&page=3', { since: '24h' }],
  ['/events?q=powershell&class=process_activity', { q: 'powershell', class: 'process_activity' }],
])('of %s comes through %j', async (address, want) => {
  const root = createRootRoute();
  const events = createRoute({ getParentRoute: () => root, path: '/events', validateSearch: only(readSearch) });
  const router = createRouter({
    routeTree: root.addChildren([events]),
    history: createMemoryHistory({ initialEntries: [address] }),
  });
  await router.load();
  const search = router.state.matches.at(-1)?.search ?? {};
  expect(Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined))).toEqual(want);
});
