// Which alert stays, which go into it, and with which version that was decided.
import { ApolloClient, ApolloLink, Observable } from '@apollo/client';
import { ApolloProvider } from '@apollo/client/react';
import { fireEvent, render, screen, waitFor } from '@testing-library/react';
import { expect, test, vi } from 'vitest';
import { createCache } from '../../api/client';
import { MergeSelected, MergeSimilar } from './MergeDialog';
import type { AlertActions } from './useAlertActions';

const candidate = (id: string, mergedInto: string | null = null) => ({
  __typename: 'Alert' as const,
  id,
  version: 7,
  title: `Alert ${id}`,
  severity: 'HIGH' as const,
  status: 'NEW' as const,
  host: 'ws-01',
  user: '',
  count: 2,
  lastSeen: '2026-05-04T09:30:00Z',
  mergedInto: mergedInto && { __typename: 'Alert', id: mergedInto },
});

const merge = vi.fn<AlertActions['merge']>(async () => true);
const actions = { merge } as unknown as AlertActions;

test('of the selected ones the first stays, or the one that is chosen', async () => {
  const [done, closed] = [vi.fn(), vi.fn()];
  const alerts = [candidate('a1'), candidate('a2'), candidate('a3')];
  render(<MergeSelected alerts={alerts} actions={actions} onDone={done} onClose={closed} />);
  expect((screen.getByRole('radio', { name: /Alert a1/ }) as HTMLInputElement).checked).toBe(true);
  fireEvent.click(screen.getByRole('radio', { name: /Alert a2/ }));
  fireEvent.click(screen.getByRole('button', { name: 'Merge' }));
  await waitFor(() => expect(closed).toHaveBeenCalled());
  expect(merge).toHaveBeenLastCalledWith(alerts[1], ['a1', 'a3']);
  expect(done).toHaveBeenCalled();
});

test('similar alerts come in, or this one goes into one of them; what is merged already is not offered', async () => {
  const similar = [candidate('b1'), candidate('b2'), candidate('b3', 'b1')].map((alert) => ({
    __typename: 'SimilarAlert',
    score: 1,
    reasons: ['SAME_RULE'],
    alert,
  }));
  const link = new ApolloLink(
    () =>
      new Observable((observer) => {
        observer.next({ data: { alert: { __typename: 'Alert', id: 'a1', version: 3, similar } } });
        observer.complete();
      }),
  );
  const client = new ApolloClient({ cache: createCache(), link });
  const opened = vi.fn();
  render(
    <ApolloProvider client={client}>
      <MergeSimilar alert={{ id: 'a1', version: 3 }} actions={actions} onClose={() => undefined} onOpen={opened} />
    </ApolloProvider>,
  );
  expect(await screen.findAllByRole('checkbox')).toHaveLength(2);
  fireEvent.click(screen.getByRole('checkbox', { name: /Alert b1/ }));
  fireEvent.click(screen.getByRole('checkbox', { name: /Alert b2/ }));
  fireEvent.click(screen.getByRole('button', { name: 'Take 2 in' }));
  await waitFor(() => expect(merge).toHaveBeenLastCalledWith({ id: 'a1', version: 3 }, ['b1', 'b2']));
  expect(opened).not.toHaveBeenCalled();

  fireEvent.change(screen.getByLabelText('How?'), { target: { value: 'go' } });
  fireEvent.click(screen.getByRole('radio', { name: /Alert b2/ }));
  await waitFor(() => fireEvent.click(screen.getByRole('button', { name: 'Merge into it' })));
  await waitFor(() => expect(opened).toHaveBeenCalledWith('b2'));
  expect(merge).toHaveBeenLastCalledWith(expect.objectContaining({ id: 'b2', version: 7 }), ['a1']);
});
