import { ApolloClient, ApolloLink, Observable } from '@apollo/client';
import { ApolloProvider } from '@apollo/client/react';
import { fireEvent, render, screen, waitFor } from '@testing-library/react';
import type { ReactNode } from 'react';
import { beforeEach, expect, test, vi } from 'vitest';
import { createCache } from '../../api/client';
import { ImportDialog } from './ImportDialog';
import { IndicatorsPage } from './IndicatorsPage';

const { rights, search, navigate } = vi.hoisted(() => ({
  rights: { mayWork: true },
  search: { now: {} as Record<string, string> },
  navigate: vi.fn(),
}));
vi.mock('@tanstack/react-router', () => ({
  getRouteApi: () => ({ useSearch: () => search.now, useNavigate: () => navigate }),
}));
vi.mock('../../live/pulse', () => ({ usePulse: () => undefined }));
vi.mock('../../nouns/user/useViewer', () => ({ useViewer: () => rights }));
vi.mock('./IndicatorPanel', () => ({ IndicatorPanel: ({ id }: { id: string }) => <aside>Panel of {id}</aside> }));
// The grid draws what is in view, and there is no view here.
vi.mock('../../ui/VirtualGrid', () => ({
  VirtualGrid: (props: { ids: readonly string[]; renderRow(id: string): ReactNode }) => (
    <div>
      {props.ids.map((id) => (
        <div key={id} data-testid="indicator">
          {props.renderRow(id)}
        </div>
      ))}
    </div>
  ),
}));

class Server extends ApolloLink {
  asked: { name?: string; variables: Record<string, unknown> }[] = [];
  refuses = false;

  override request({ operationName, variables }: ApolloLink.Operation) {
    this.asked.push({ name: operationName, variables });
    return new Observable<ApolloLink.Result>((observer) => {
      observer.next({ data: operationName === 'IndicatorImport' ? this.imported() : this.answer(operationName) });
      observer.complete();
    });
  }

  answer(name?: string) {
    if (name === 'IndicatorExport')
      return { indicatorExport: { __typename: 'ExportPayload', url: '/api/export/1?key=k', errors: [] } };
    const nodes = [
      {
        __typename: 'Indicator',
        id: 'i1',
        kind: 'DOMAIN',
        value: 'evil.example',
        includeSubdomains: true,
        source: 'abuse\u202e.ch',
        confidence: 80,
        severity: 'HIGH',
        state: 'EXPIRED',
        validUntil: null,
        updatedAt: '2026-05-04T09:30:00Z',
        sightings: { __typename: 'IndicatorSightings', count: 1200, lastSeen: null },
      },
    ];
    const pageInfo = { __typename: 'PageInfo', hasNextPage: false, endCursor: null };
    return { indicators: { __typename: 'IndicatorConnection', nodes, pageInfo } };
  }

  imported() {
    const problems = [{ __typename: 'IndicatorProblem', position: 3, objectId: null, message: 'is no address' }];
    const counts = { read: 2, added: 2, updated: 0, unchanged: 0, revoked: 0, refused: 1 };
    const report = this.refuses ? null : { __typename: 'IndicatorReport', ...counts, problems };
    const errors = [{ __typename: 'UserError', code: 'BAD_INPUT', message: 'no list', path: null }];
    return { indicatorImport: { __typename: 'IndicatorImportPayload', report, errors: this.refuses ? errors : [] } };
  }
}

function show(page: ReactNode) {
  const server = new Server();
  const client = new ApolloClient({ cache: createCache(), link: server });
  render(<ApolloProvider client={client}>{page}</ApolloProvider>);
  return server;
}

beforeEach(() => {
  rights.mayWork = true;
  search.now = {};
  navigate.mockClear();
});

test('a row says what is warned of and by whom, without what would mislead', async () => {
  show(<IndicatorsPage />);
  const row = await screen.findByTestId('indicator');
  expect(row.textContent).toContain('*.evil.example');
  expect(row.textContent).toContain('Expired');
  expect(row.textContent).toContain('1,200');
  expect(row.textContent).not.toContain('\u202e');
});

test('who may only read takes the list out, and changes nothing', async () => {
  rights.mayWork = false;
  show(<IndicatorsPage />);
  await screen.findByTestId('indicator');
  expect(screen.getByRole('button', { name: 'Export' })).toBeTruthy();
  expect(screen.queryByRole('button', { name: 'Import' })).toBeNull();
  expect(screen.queryByRole('button', { name: 'New indicator' })).toBeNull();
});

test('the file has what the list is narrowed to', async () => {
  search.now = { kind: 'domain', indicator: 'i1' };
  const server = show(<IndicatorsPage />);
  await screen.findByTestId('indicator');
  expect(screen.getByText('Panel of i1')).toBeTruthy();
  fireEvent.click(screen.getByRole('button', { name: 'Export' }));
  fireEvent.click(screen.getByText('As CSV')); // by text: jsdom takes the open popover for hidden
  await waitFor(() => expect(server.asked.some(({ name }) => name === 'IndicatorExport')).toBe(true));
  const list = server.asked.find(({ name }) => name === 'IndicatorList');
  const file = server.asked.find(({ name }) => name === 'IndicatorExport');
  expect(file?.variables).toEqual({ input: { filter: list?.variables.filter, format: 'CSV' } });
});

async function importFile(onImported: () => void, refuses: boolean) {
  const server = show(<ImportDialog onClose={() => undefined} onImported={onImported} />);
  server.refuses = refuses;
  const button = screen.getByRole('button', { name: 'Import', hidden: true });
  expect(button).toHaveProperty('disabled', true);
  const file = new File(['ioc,comment\n203.0.113.7,a\nnonsense,b\nevil.example,c\n'], 'feed.csv');
  fireEvent.change(screen.getByLabelText(/A CSV file/), { target: { files: [file] } });
  await waitFor(() => expect(button).toHaveProperty('disabled', false));
  fireEvent.click(button);
  return server;
}

test('an import says what it took, and each line that it did not', async () => {
  const onImported = vi.fn();
  const server = await importFile(onImported, false);
  await waitFor(() => expect(onImported).toHaveBeenCalledTimes(1));
  expect(screen.getByText(/2 indicators: 2 new/)).toBeTruthy();
  expect(screen.getByText('Line 3')).toBeTruthy();
  expect(server.asked[0]?.variables.input).toMatchObject({
    format: 'CSV',
    source: 'feed',
    name: 'feed.csv',
    first: 1,
    revive: false,
  });
});

test('an import that is refused says that it stopped', async () => {
  await importFile(() => undefined, true);
  expect(await screen.findByText(/The import stopped before the end/)).toBeTruthy();
});
