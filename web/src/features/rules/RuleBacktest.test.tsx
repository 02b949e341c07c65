import { ApolloClient, ApolloLink, Observable } from '@apollo/client';
import { ApolloProvider } from '@apollo/client/react';
import { createMemoryHistory, createRootRoute, createRouter, RouterProvider } from '@tanstack/react-router';
import { act, fireEvent, render, screen, waitFor } from '@testing-library/react';
import { expect, test, vi } from 'vitest';
import { createCache } from '../../api/client';
import { RuleBacktest } from './RuleBacktest';

const viewer = vi.hoisted(() => ({ mayWork: true }));
vi.mock('../../nouns/user/useViewer', () => ({
  useViewer: () => ({ viewer: null, mayAdminister: false, ...viewer }),
}));

const top = (...values: string[]) => ({
  __typename: 'TopValues',
  values: values.map((value, i) => ({ __typename: 'ValueCount', value, count: values.length - i })),
});

const jobOf = (state: string, done: number, found: object) => ({
  __typename: 'Job',
  id: 'j1',
  state,
  done,
  total: 200,
  message: '',
  backtest: {
    __typename: 'Backtest',
    from: '2026-11-27T00:00:00Z',
    to: '2026-11-27T02:00:00Z',
    tried: 0,
    matched: 0,
    unreadable: 0,
    complete: true,
    alerts: 0,
    alertsAreMore: false,
    suppressed: 0,
    filters: [],
    histogram: {
      __typename: 'TimeSeries',
      starts: ['2026-11-27T00:00:00Z', '2026-11-27T01:00:00Z'],
      interval: 'PT1H',
      series: [{ __typename: 'Series', counts: [1, 2] }],
    },
    hosts: top(),
    users: top(),
    matches: [],
    ...found,
  },
});

function show(job: string | null, now: object | null) {
  const asked: { name: string; variables: Record<string, unknown> }[] = [];
  let tell: (job: object) => void = () => undefined;
  const link = new ApolloLink(
    ({ operationName, variables }) =>
      new Observable<ApolloLink.Result>((observer) => {
        asked.push({ name: operationName ?? '', variables });
        if (operationName === 'RuleBacktest')
          observer.next({
            data: { ruleBacktest: { __typename: 'BulkPayload', job: { __typename: 'Job', id: 'j1' }, errors: [] } },
          });
        if (operationName === 'BacktestNow') observer.next({ data: { job: now } });
        if (operationName === 'BacktestProgress') {
          tell = (job) => observer.next({ data: { jobProgress: job } });
          return;
        }
        if (operationName === 'JobCancel')
          observer.next({ data: { jobCancel: { __typename: 'BulkPayload', job: null, errors: [] } } });
        observer.complete();
      }),
  );
  const onJob = vi.fn();
  const root = createRootRoute({
    component: () => <RuleBacktest source="title: a" broken={false} job={job} onJob={onJob} />,
  });
  const router = createRouter({ routeTree: root, history: createMemoryHistory({ initialEntries: ['/'] }) });
  render(
    <ApolloProvider client={new ApolloClient({ cache: createCache(), link })}>
      <RouterProvider router={router as never} />
    </ApolloProvider>,
  );
  return { asked, onJob, tell: (job: object) => act(() => tell(job)) };
}

test('a backtest begins on the text, and its job goes into the address', async () => {
  const { asked, onJob } = show(null, null);
  fireEvent.change(await screen.findByLabelText('Events of'), { target: { value: '30' } });
  fireEvent.click(screen.getByRole('button', { name: 'Backtest' }));
  await waitFor(() => expect(onJob).toHaveBeenCalledWith('j1'));
  const input = asked.find(({ name }) => name === 'RuleBacktest')?.variables.input as { source: string; from: string };
  expect(input.source).toBe('title: a');
  expect((Date.now() - Date.parse(input.from)) / 86_400_000).toBeCloseTo(30, 2);
});

test('it is followed while it runs, can be cancelled, and shows what it found', async () => {
  const { asked, tell } = show('j1', jobOf('RUNNING', 50, { tried: 10, matched: 0 }));
  expect(await screen.findByText('25 %')).toBeTruthy();
  fireEvent.click(screen.getByRole('button', { name: 'Cancel' }));
  await waitFor(() => expect(asked.some(({ name }) => name === 'JobCancel')).toBe(true));
  tell(jobOf('DONE', 200, { tried: 4_321, matched: 3, alerts: 2, hosts: top('web-1', 'web-2'), users: top('root') }));
  expect(await screen.findByText('It fires on 3 of 4,321')).toBeTruthy();
  expect(screen.getByText(/It would have raised 2 alerts/)).toBeTruthy();
  expect(screen.getByText('Done')).toBeTruthy();
  expect(screen.queryByRole('button', { name: 'Cancel' })).toBeNull();
  const host = screen.getByRole('link', { name: 'web-1' });
  expect(decodeURIComponent(host.getAttribute('href') ?? '')).toContain('host:web-1');
});

test('filters that took part and what suppressions hide are told', async () => {
  const filters = [{ __typename: 'Rule', id: 'f1', title: 'The scanner' }];
  show('j1', jobOf('DONE', 200, { tried: 9, matched: 5, alerts: 1, suppressed: 4, filters }));
  expect(await screen.findByText('Suppressions in force hide 4 of the matches.')).toBeTruthy();
  expect(screen.getByText(/With the filter in force/)).toBeTruthy();
  expect(screen.getByRole('link', { name: 'The scanner' }).getAttribute('href')).toContain('f1');
  expect(screen.getByText(/It would have raised 1 alert,/)).toBeTruthy();
});

test('what was not tried is said', async () => {
  show('j1', jobOf('DONE', 200, { tried: 1_000_000, complete: false }));
  expect(await screen.findByText('Earlier events of the time were not tried.')).toBeTruthy();
});

test('a viewer is told who may', async () => {
  viewer.mayWork = false;
  show(null, null);
  expect(await screen.findByText(/Analysts may/)).toBeTruthy();
  expect(screen.queryByRole('button', { name: 'Backtest' })).toBeNull();
  viewer.mayWork = true;
});
