// Each change names the version that it was decided on; who may not share is not
// offered it.
import { ApolloClient, ApolloLink, Observable } from '@apollo/client';
import { ApolloProvider } from '@apollo/client/react';
import { fireEvent, render, screen, waitFor } from '@testing-library/react';
import { expect, test, vi } from 'vitest';
import { createCache } from '../../api/client';
import type { Role } from '../../gql/schema';
import { ViewerDocument } from '../user/Viewer.generated';
import { changeable, ManageViews, type SavedView } from './ManageViews';

// Roles are looked up in all of the dialog: a busy machine takes its time.
vi.setConfig({ testTimeout: 30_000 });

const view: SavedView = {
  __typename: 'SavedView',
  id: 'v1',
  version: 2,
  name: 'Worst first',
  query: 'severity:critical',
  orderBy: null,
  columns: [],
  shared: false,
  owner: { __typename: 'User', id: 'u1', displayName: 'Ana' },
};
const shown = { query: 'host:ws-01', orderBy: 'SEVERITY_DESC', columns: ['host', 'rule'] };

function show(role: Role = 'ANALYST', views = [view]) {
  const asked: [string | undefined, unknown][] = [];
  const link = new ApolloLink(
    ({ operationName = '', variables }) =>
      new Observable<ApolloLink.Result>((observer) => {
        asked.push([operationName, variables.input]);
        const field = operationName.charAt(0).toLowerCase() + operationName.slice(1);
        observer.next({ data: { [field]: { __typename: 'SavedViewPayload', view, errors: [] } } });
        observer.complete();
      }),
  );
  const client = new ApolloClient({ cache: createCache(), link });
  const user = { __typename: 'User' as const, id: 'u1', name: 'ana', displayName: 'Ana', role };
  client.cache.writeQuery({
    query: ViewerDocument,
    data: { viewer: { __typename: 'Viewer', role, serverVersion: '1', user } },
  });
  const [changed, closed] = [vi.fn(), vi.fn()];
  render(
    <ApolloProvider client={client}>
      <ManageViews views={views} shown={shown} onChanged={changed} onClose={closed} />
    </ApolloProvider>,
  );
  return { asked, changed, closed };
}

test('a view is renamed; Escape leaves the name as it was and the dialog open', async () => {
  const { asked, changed, closed } = show();
  fireEvent.click(screen.getByRole('button', { name: 'Rename Worst first' }));
  fireEvent.keyDown(screen.getByLabelText('Name of Worst first'), { key: 'Escape' });
  expect(closed).not.toHaveBeenCalled();
  fireEvent.click(screen.getByRole('button', { name: 'Rename Worst first' }));
  fireEvent.change(screen.getByLabelText('Name of Worst first'), { target: { value: ' Night shift ' } });
  fireEvent.click(screen.getByRole('button', { name: 'Rename' }));
  await waitFor(() => expect(changed).toHaveBeenCalled());
  expect(asked).toEqual([['SavedViewUpdate', { id: 'v1', expectedVersion: 2, name: 'Night shift' }]]);
});

test('it is set to what is shown, shared, and removed on the second press', async () => {
  const { asked, changed } = show();
  fireEvent.click(screen.getByRole('button', { name: 'Set Worst first to what is shown now' }));
  await waitFor(() => expect(changed).toHaveBeenCalledTimes(1));
  fireEvent.click(screen.getByRole('checkbox', { name: 'Share Worst first with everybody' }));
  await waitFor(() => expect(changed).toHaveBeenCalledTimes(2));
  fireEvent.click(screen.getByRole('button', { name: 'Remove Worst first' }));
  expect(asked).toHaveLength(2);
  fireEvent.click(screen.getByRole('button', { name: 'Remove it' }));
  await waitFor(() => expect(changed).toHaveBeenCalledTimes(3));
  expect(asked).toEqual([
    ['SavedViewUpdate', { id: 'v1', expectedVersion: 2, ...shown }],
    ['SavedViewUpdate', { id: 'v1', expectedVersion: 2, shared: true }],
    ['SavedViewDelete', { id: 'v1', expectedVersion: 2 }],
  ]);
});

test('who reads alone is not offered to share', () => {
  show('VIEWER');
  expect(screen.queryByRole('checkbox')).toBeNull();
});

test('what shows the same already is not set again', () => {
  show('ANALYST', [{ ...view, ...shown, columns: [...shown.columns] }]);
  const button = screen.getByRole('button', { name: 'Set Worst first to what is shown now' });
  expect((button as HTMLButtonElement).disabled).toBe(true);
});

test('an administrator may change the shared ones of others, and nobody their private ones', () => {
  const foreign = { ...view, id: 'v2', owner: { __typename: 'User' as const, id: 'u2', displayName: 'Ben' } };
  const ofNobody = { ...view, id: 'v4', owner: null };
  const views = [view, foreign, { ...foreign, id: 'v3', shared: true }, ofNobody];
  const ids = (administers: boolean) => changeable(views, 'u1', administers).map(({ id }) => id);
  expect(ids(false)).toEqual(['v1']);
  expect(ids(true)).toEqual(['v1', 'v3']);
  expect(changeable([ofNobody], undefined, false)).toEqual([]);
});
