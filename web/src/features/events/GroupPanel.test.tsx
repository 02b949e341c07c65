import { ApolloClient, ApolloLink, Observable } from '@apollo/client';
import { ApolloProvider } from '@apollo/client/react';
import { fireEvent, render, screen } from '@testing-library/react';
import { expect, test, vi } from 'vitest';
import { createCache } from '../../api/client';
import type { EventField } from '../../gql/schema';
import { GroupPanel } from './GroupPanel';

// Roles are looked up in the whole panel: a busy machine takes its time.
vi.setConfig({ testTimeout: 30_000 });

function show(link: ApolloLink, fields: EventField[]) {
  const client = new ApolloClient({ cache: createCache(), link });
  const [onFields, onValues] = [vi.fn(), vi.fn()];
  render(
    <ApolloProvider client={client}>
      <GroupPanel filter={{ query: 'host:' }} fields={fields} onFields={onFields} onValues={onValues} />
    </ApolloProvider>,
  );
  return { onFields, onValues };
}

const refused = () => new ApolloLink(() => new Observable((observer) => observer.error(new Error('wrong line'))));
const groups = () =>
  new ApolloLink(
    ({ variables }) =>
      new Observable<ApolloLink.Result>((observer) => {
        const seen = { firstSeen: '2026-05-04T09:30:00Z', lastSeen: '2026-05-04T09:31:00Z' };
        const all = [
          { values: ['ws-01', 'ana'], count: 7 },
          { values: ['ws-02', null], count: 3 },
        ].map((group) => ({ __typename: 'EventGroup', ...group, ...seen }));
        expect(variables.by).toEqual(['HOST', 'USER']);
        observer.next({
          data: { eventGroups: { __typename: 'EventGroups', groups: all, total: 10, isEstimate: false } },
        });
        observer.complete();
      }),
  );

test.each([[['HOST']], [['HOST', 'USER']]] as EventField[][][])(
  'a line that is refused leaves no panel that loads for ever: by %s',
  async (fields) => {
    show(refused(), fields);
    expect(await screen.findByText(/mend the line/)).toBeTruthy();
  },
);

test('a group narrows to what it has in common, also to what is empty, or is left out as a whole', async () => {
  const { onValues } = show(groups(), ['HOST', 'USER']);
  fireEvent.click(await screen.findByTitle('Show only ws-01, ana'));
  fireEvent.click(screen.getByRole('button', { name: 'Leave out ws-02, none' }));
  expect(onValues.mock.calls).toEqual([
    [
      [
        { field: 'HOST', value: 'ws-01' },
        { field: 'USER', value: 'ana' },
      ],
      false,
    ],
    [
      [
        { field: 'HOST', value: 'ws-02' },
        { field: 'USER', value: null },
      ],
      true,
    ],
  ]);
});

test('a field more, another one, one less; none twice', async () => {
  const { onFields } = show(groups(), ['HOST', 'USER']);
  const more = screen.getByLabelText('Group by another field too');
  expect([...more.querySelectorAll('option')].map((option) => option.value)).not.toContain('USER');
  fireEvent.change(more, { target: { value: 'ACTION' } });
  fireEvent.change(screen.getByLabelText('Group by, field 2'), { target: { value: 'CLASS' } });
  fireEvent.click(screen.getByRole('button', { name: 'Do not group by host' }));
  expect(onFields.mock.calls).toEqual([[['HOST', 'USER', 'ACTION']], [['HOST', 'CLASS']], [['USER']]]);
});
