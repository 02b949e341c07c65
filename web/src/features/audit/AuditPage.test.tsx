import { ApolloClient, ApolloLink, Observable } from '@apollo/client';
import { ApolloProvider } from '@apollo/client/react';
import { act, fireEvent, render, screen, waitFor } from '@testing-library/react';
import { beforeEach, expect, test, vi } from 'vitest';
import { createCache } from '../../api/client';
import { AuditPage } from './AuditPage';
import { type AuditSearch, apiFilter } from './filters';

let search: AuditSearch = {};
const navigate = vi.fn(({ search: next }: { search: AuditSearch }) => {
  search = next;
});
// Many rows are drawn: a busy machine takes its time.
vi.setConfig({ testTimeout: 30_000 });

vi.mock('@tanstack/react-router', () => ({
  getRouteApi: () => ({ useSearch: () => search, useNavigate: () => navigate }),
}));
vi.mock('../../nouns/user/useViewer', () => ({
  useViewer: () => ({ viewer: {}, mayWork: true, mayAdminister: true }),
}));
let look: () => void = () => undefined;
vi.mock('../../ui/useEvery', () => ({
  useEvery: (_: number, onLook: () => void) => {
    look = onLook;
  },
}));

/** A journal of entries 1 to `newest`, the latest first. */
class Journal extends ApolloLink {
  newest = 120;

  override request({ variables: { first, after } }: ApolloLink.Operation) {
    return new Observable<ApolloLink.Result>((observer) => {
      const from = after ? Number(after) - 1 : this.newest;
      const nodes = Array.from({ length: Math.min(first, from) }, (_, n) => ({
        __typename: 'JournalItem',
        cursor: String(from - n),
        at: '2026-05-04T09:30:00Z',
        action: 'token.create',
        events: 0,
        actor: { __typename: 'Actor', kind: 'TOKEN', name: `n${from - n}`, user: null },
        changes: [
          {
            __typename: 'EntityChange',
            kind: 'APIToken',
            id: `t${from - n}`,
            action: 'token.create',
            created: true,
            fields: n === 0 ? [{ __typename: 'FieldChange', field: 'name', before: null, after: 'shipper' }] : [],
          },
        ],
      }));
      const pageInfo = { __typename: 'PageInfo', hasNextPage: from > first, endCursor: String(from - first + 1) };
      observer.next({ data: { journal: { __typename: 'JournalConnection', nodes, pageInfo } } });
      observer.complete();
    });
  }
}

function show(server = new Journal()) {
  const client = new ApolloClient({ cache: createCache(), link: server });
  const page = () => (
    <ApolloProvider client={client}>
      <AuditPage />
    </ApolloProvider>
  );
  const { rerender } = render(page());
  return () => rerender(page());
}

const entries = () => screen.getByRole('region', { name: 'Entries' }).querySelectorAll('li');

beforeEach(() => {
  search = {};
  navigate.mockClear();
});

test('what is done meanwhile comes in, and what is shown stays', async () => {
  const server = new Journal();
  show(server);
  await waitFor(() => expect(entries()).toHaveLength(50));
  fireEvent.click(screen.getByRole('button', { name: 'Load more' }));
  await waitFor(() => expect(entries()).toHaveLength(100));
  server.newest = 121;
  act(() => look());
  await screen.findByText('by token n121');
  expect(entries()).toHaveLength(100);
});

test('an opened entry is a step, and so is a line that is typed', async () => {
  const again = show();
  await waitFor(() => expect(entries()).toHaveLength(50));
  fireEvent.click(entries()[0]?.querySelector('summary') as HTMLElement);
  expect(navigate).toHaveBeenLastCalledWith({ search: { entry: '120' }, replace: false });
  again();
  const who = screen.getByRole('searchbox', { name: /Who/ });
  fireEvent.change(who, { target: { value: 'an' } });
  await waitFor(() => expect(search.actor).toBe('an'));
  expect(navigate).toHaveBeenLastCalledWith({ search: { entry: '120', actor: 'an' }, replace: false });
  again();
  fireEvent.change(who, { target: { value: 'ana' } });
  await waitFor(() => expect(search.actor).toBe('ana'));
  expect(navigate).toHaveBeenLastCalledWith({ search: { entry: '120', actor: 'ana' }, replace: true });
});

test('what was made shows its fields as they are, with no before', async () => {
  search = { entry: '120' };
  show();
  const table = await screen.findByRole('table', { name: 'API token t120' });
  expect([...table.querySelectorAll('thead th')].map((th) => th.textContent)).toEqual(['Field', 'After']);
  expect(table.textContent).toContain('shipper');
});

test('what was made and lists no fields says nothing of them', async () => {
  search = { entry: '119' };
  show();
  await screen.findByText('t119');
  expect(screen.queryByRole('table')).toBeNull();
  expect(screen.queryByText(/No field/)).toBeNull();
});

test('a stretch up to now has no end', () => {
  expect(apiFilter({ since: '1h' }, Date.parse('2026-05-04T09:30:00Z')).at).toEqual({
    gte: '2026-05-04T08:30:00.000Z',
  });
  const range = { from: '2026-05-01T00:00:00.000Z', to: '2026-05-02T00:00:00.000Z' };
  expect(apiFilter(range, 0).at).toEqual({ gte: range.from, lte: range.to });
});
