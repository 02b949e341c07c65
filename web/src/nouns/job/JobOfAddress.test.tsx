import { ApolloClient, ApolloLink, Observable } from '@apollo/client';
import { ApolloProvider } from '@apollo/client/react';
import { fireEvent, render, screen } from '@testing-library/react';
import { expect, test, vi } from 'vitest';
import { createCache } from '../../api/client';
import type { JobLineFragment } from './Job.generated';
import { JobOfAddress } from './JobOfAddress';

const job: JobLineFragment = {
  __typename: 'Job',
  id: 'j1',
  kind: 'ALERT_BULK',
  state: 'DONE',
  done: 12,
  total: 12,
  failed: 0,
  message: '',
  undoneBy: null,
  createdAt: '2026-05-04T09:30:00Z',
  updatedAt: '2026-05-04T09:30:00Z',
};

/** A server that has the job, or has forgotten it. */
function draw(known: boolean) {
  const link = new ApolloLink(
    ({ operationName, variables }) =>
      new Observable((observer) => {
        if (operationName === 'JobNow') observer.next({ data: { job: known && variables.id === 'j1' ? job : null } });
        if (operationName === 'JobUndo') {
          const undoing = { ...job, id: 'j2' };
          observer.next({ data: { jobUndo: { __typename: 'BulkPayload', job: undoing, errors: [] } } });
        }
        observer.complete();
      }),
  );
  const client = new ApolloClient({ cache: createCache(), link, dataMasking: true });
  const [onUndo, onDismiss] = [vi.fn(), vi.fn()];
  render(
    <ApolloProvider client={client}>
      <JobOfAddress id="j1" onUndo={onUndo} onDismiss={onDismiss} />
    </ApolloProvider>,
  );
  return { onUndo, onDismiss };
}

test('a job that has ended is found by its id, and can be undone', async () => {
  const { onUndo } = draw(true);
  expect(await screen.findByText('12 of 12')).toBeTruthy();
  fireEvent.click(screen.getByRole('button', { name: 'Undo' }));
  await vi.waitFor(() => expect(onUndo.mock.calls[0]?.[0].id).toBe('j2'));
});

test('one that is no longer there is told, and can be put away', async () => {
  const { onDismiss } = draw(false);
  expect(await screen.findByText(/no such job/)).toBeTruthy();
  fireEvent.click(screen.getByRole('button', { name: 'Dismiss' }));
  expect(onDismiss).toHaveBeenCalled();
});
