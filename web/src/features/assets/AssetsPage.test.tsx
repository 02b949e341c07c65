import { ApolloClient, ApolloLink, Observable } from '@apollo/client';
import { ApolloProvider } from '@apollo/client/react';
import { act, fireEvent, render, screen, waitFor } from '@testing-library/react';
import type { ReactNode } from 'react';
import { expect, test, vi } from 'vitest';
import { createCache } from '../../api/client';
import { AssetsPage } from './AssetsPage';

// Many rows are drawn: a busy machine takes its time.
vi.setConfig({ testTimeout: 30_000 });

vi.mock('@tanstack/react-router', () => ({
  getRouteApi: () => ({ useSearch: () => ({}), useNavigate: () => () => undefined }),
}));
let look: () => void = () => undefined;
vi.mock('../../live/pulse', () => ({
  usePulse: (onLook: () => void) => {
    look = onLook;
  },
}));
// The grid draws what is in view, and there is no view here.
vi.mock('../../ui/VirtualGrid', () => ({
  VirtualGrid: (props: { ids: readonly string[]; onEnd(): void; renderRow(id: string): ReactNode }) => (
    <div>
      <button type="button" onClick={props.onEnd}>
        End
      </button>
      {props.ids.map((id) => (
        <div key={id} data-testid="asset">
          {props.renderRow(id)}
        </div>
      ))}
    </div>
  ),
}));

class Assets extends ApolloLink {
  score = 1;
  fails = false;

  override request({ variables: { first, after } }: ApolloLink.Operation) {
    return new Observable<ApolloLink.Result>((observer) => {
      if (this.fails) {
        observer.error(new Error('no answer'));
        return;
      }
      const from = after ? Number(after) : 0;
      const nodes = Array.from({ length: first }, (_, n) => ({
        __typename: 'Asset',
        id: `h${from + n}`,
        kind: 'HOST',
        name: `host-${from + n}`,
        criticality: 'MEDIUM',
        owner: '',
        tags: [],
        silent: false,
        lastSeen: '2026-05-04T09:30:00Z',
        risk: { __typename: 'Risk', score: this.score },
      }));
      const pageInfo = { __typename: 'PageInfo', hasNextPage: true, endCursor: String(from + first) };
      observer.next({ data: { assets: { __typename: 'AssetConnection', nodes, pageInfo } } });
      observer.complete();
    });
  }
}

test('after further pages the risk is still kept right, on all of them', async () => {
  const server = new Assets();
  const client = new ApolloClient({ cache: createCache(), link: server });
  render(
    <ApolloProvider client={client}>
      <AssetsPage />
    </ApolloProvider>,
  );
  const rows = () => screen.getAllByTestId('asset');
  await waitFor(() => expect(rows()).toHaveLength(100));
  server.fails = true;
  fireEvent.click(screen.getByRole('button', { name: 'End' }));
  const again = await screen.findByRole('button', { name: 'Try again' });
  server.fails = false;
  fireEvent.click(again);
  await waitFor(() => expect(rows()).toHaveLength(200));
  server.score = 77;
  act(() => look());
  await waitFor(() => expect(rows().filter((row) => row.textContent?.startsWith('77'))).toHaveLength(200));
});
