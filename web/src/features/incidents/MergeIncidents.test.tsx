// Which incident stays, which go into it, and where somebody is led after it.
import { ApolloClient, ApolloLink, Observable } from '@apollo/client';
import { ApolloProvider } from '@apollo/client/react';
import { fireEvent, render, screen, waitFor } from '@testing-library/react';
import { beforeEach, expect, test, vi } from 'vitest';
import { createCache } from '../../api/client';
import * as notices from '../../ui/notices';
import { MergeIncidents } from './MergeIncidents';
import { SplitIncident } from './SplitIncident';

const navigate = vi.hoisted(() => vi.fn());
vi.mock('@tanstack/react-router', () => ({ useNavigate: () => navigate }));

const incident = (id: string) => ({
  __typename: 'Incident',
  id,
  version: 5,
  title: `Incident ${id}`,
  severity: 'HIGH',
  status: 'OPEN',
  alertCount: 2,
  updatedAt: '2026-05-04T09:30:00Z',
  assignee: null,
});

const asked: Record<string, unknown>[] = [];
let problem: { code: string; message: string } | null = null;
function setUp() {
  const link = new ApolloLink(
    ({ operationName, variables }) =>
      new Observable<ApolloLink.Result>((observer) => {
        const errors = problem ? [{ __typename: 'UserError', ...problem }] : [];
        const pageInfo = { __typename: 'PageInfo', hasNextPage: false };
        if (operationName === 'IncidentMergeCandidates') {
          const words: string = variables.filter.title?.contains ?? '';
          const nodes = ['i1', 'i2', 'i3'].map(incident).filter(({ title }) => title.includes(words));
          observer.next({ data: { incidents: { __typename: 'IncidentConnection', nodes, pageInfo } } });
        } else {
          asked.push(variables.input);
          const split = { __typename: 'IncidentSplitPayload', incident: null, created: null, errors };
          const merge = { __typename: 'IncidentPayload', incident: null, errors };
          const created = { __typename: 'Incident', id: 'i9' };
          observer.next({
            data:
              operationName === 'IncidentSplit' ? { incidentSplit: { ...split, created } } : { incidentMerge: merge },
          });
        }
        observer.complete();
      }),
  );
  return new ApolloClient({ cache: createCache(), link });
}

beforeEach(() => {
  problem = null;
  asked.length = 0;
  navigate.mockReset();
});

function show() {
  const [merged, closed] = [vi.fn(), vi.fn()];
  render(
    <ApolloProvider client={setUp()}>
      <MergeIncidents incident={{ id: 'i1', version: 3, title: 'Incident i1' }} onMerged={merged} onClose={closed} />
    </ApolloProvider>,
  );
  return { merged, closed };
}

test('others come in; the one itself is not offered, and a choice outlives another search', async () => {
  const { merged, closed } = show();
  expect(await screen.findAllByRole('checkbox')).toHaveLength(2);
  fireEvent.click(screen.getByRole('checkbox', { name: /Incident i2/ }));
  fireEvent.change(screen.getByRole('searchbox'), { target: { value: 'i3' } });
  await waitFor(() => expect(screen.getAllByRole('checkbox')).toHaveLength(2));
  fireEvent.click(screen.getByRole('checkbox', { name: /Incident i3/ }));
  fireEvent.click(screen.getByRole('button', { name: 'Take 2 in' }));
  await waitFor(() => expect(merged).toHaveBeenCalled());
  expect(closed).toHaveBeenCalled();
  expect(asked).toEqual([{ into: 'i1', expectedVersion: 3, from: ['i2', 'i3'] }]);
  expect(navigate).not.toHaveBeenCalled();
});

test('it goes into another, which is shown then', async () => {
  show();
  fireEvent.change(await screen.findByLabelText('How?'), { target: { value: 'go' } });
  fireEvent.click(await screen.findByRole('radio', { name: /Incident i2/ }));
  fireEvent.click(screen.getByRole('button', { name: 'Merge into it' }));
  await waitFor(() => expect(navigate).toHaveBeenCalledWith({ to: '/incidents/$id', params: { id: 'i2' } }));
  expect(asked).toEqual([{ into: 'i2', expectedVersion: 5, from: ['i1'] }]);
});

test('a refusal says why and leaves the choice as it is', async () => {
  const told = vi.spyOn(notices, 'notify').mockReturnValue();
  problem = { code: 'CONFLICT', message: 'the incident "Incident i2" was merged into another already' };
  const { closed } = show();
  fireEvent.click(await screen.findByRole('checkbox', { name: /Incident i2/ }));
  fireEvent.click(screen.getByRole('button', { name: 'Take it in' }));
  await waitFor(() => expect(told).toHaveBeenCalledWith('warn', expect.stringContaining('merged into another')));
  expect(closed).not.toHaveBeenCalled();
  expect((screen.getByRole('checkbox', { name: /Incident i2/ }) as HTMLInputElement).checked).toBe(true);
});

test('what is split off is as bad as its worst alert, and is shown then', async () => {
  const alerts = [
    { id: 'a1', title: 'Odd login', severity: 'LOW' as const },
    { id: 'a2', title: 'Shadow copies deleted', severity: 'CRITICAL' as const },
  ];
  render(
    <ApolloProvider client={setUp()}>
      <SplitIncident incident={{ id: 'i1', version: 3 }} alerts={alerts} onClose={() => undefined} />
    </ApolloProvider>,
  );
  fireEvent.change(screen.getByLabelText('Title of the new incident'), { target: { value: ' Ransomware ' } });
  fireEvent.click(screen.getByRole('button', { name: 'Open the new incident' }));
  await waitFor(() => expect(navigate).toHaveBeenCalledWith({ to: '/incidents/$id', params: { id: 'i9' } }));
  expect(asked).toEqual([
    { id: 'i1', expectedVersion: 3, alerts: ['a1', 'a2'], title: 'Ransomware', severity: 'CRITICAL' },
  ]);
});
