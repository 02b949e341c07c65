import { ApolloClient, ApolloLink, Observable } from '@apollo/client';
import { ApolloProvider } from '@apollo/client/react';
import { act, render, renderHook, screen } from '@testing-library/react';
import type { ReactNode } from 'react';
import { beforeEach, expect, test } from 'vitest';
import { createCache } from '../../api/client';
import { useExplainedChange } from '../../nouns/journal/useExplainedChange';
import { Notices } from '../../ui/notices';
import { IncidentUpdateDocument } from './Changes.generated';

const ana = {
  __typename: 'Actor',
  kind: 'USER',
  name: 'ana',
  user: { __typename: 'User', id: 'u1', displayName: 'Ana' },
};
const entry = (action: string, changes: readonly object[]) => ({
  __typename: 'JournalEntry',
  action,
  actor: ana,
  changes,
});
const title = { __typename: 'FieldChange', field: 'title', before: 'old', after: 'new' };

let node: object | null = null;
const server = new ApolloLink(
  ({ operationName }) =>
    new Observable<ApolloLink.Result>((observer) => {
      observer.next({
        data:
          operationName === 'LatestChange'
            ? { node }
            : {
                incidentUpdate: {
                  __typename: 'IncidentPayload',
                  incident: null,
                  errors: [{ __typename: 'UserError', code: 'CONFLICT', message: 'the incident has changed' }],
                },
              },
      });
      observer.complete();
    }),
);

async function tooLate() {
  const client = new ApolloClient({ cache: createCache(), link: server });
  const wrapper = ({ children }: { children: ReactNode }) => (
    <ApolloProvider client={client}>{children}</ApolloProvider>
  );
  render(<Notices />);
  const { result } = renderHook(useExplainedChange, { wrapper });
  const input = { id: 'i1', expectedVersion: 1, title: 'mine' };
  await act(async () => {
    expect(await result.current(IncidentUpdateDocument, { input })).toBeNull();
  });
}

beforeEach(() => {
  node = null;
});

test('who came too late is told who was faster and what they did, and not what happened to its alerts', async () => {
  const nodes = [entry('alert.close', []), entry('incident.update', [title])];
  node = { __typename: 'Incident', id: 'i1', latestChanges: { __typename: 'JournalConnection', nodes } };
  await tooLate();
  expect(screen.getByText(/^Ana was faster: .*Title: old → new\. Nothing was changed/)).toBeTruthy();
});

test('without a journal it is said that it has changed', async () => {
  node = { __typename: 'IncidentTask', id: 'i1' };
  await tooLate();
  expect(screen.getByText(/^Nothing was changed: the incident has changed\./)).toBeTruthy();
});
