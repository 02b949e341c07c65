import { ApolloClient, ApolloLink, Observable } from '@apollo/client';
import { ApolloProvider } from '@apollo/client/react';
import {
  createMemoryHistory,
  createRootRoute,
  createRoute,
  createRouter,
  Outlet,
  RouterProvider,
} from '@tanstack/react-router';
import { fireEvent, render, screen, waitFor } from '@testing-library/react';
import { expect, test, vi } from 'vitest';
import { createCache } from '../../api/client';
import { RuleEditorPage } from './RuleEditorPage';

// The editor draws on layout, which there is none of here: a plain field stands for it.
vi.mock('./YamlEditor', () => ({
  YamlEditor: ({ text, onChange }: { text: string; onChange(text: string): void }) => (
    <textarea aria-label="Rule" value={text} onChange={(e) => onChange(e.target.value)} />
  ),
}));
vi.mock('../../nouns/user/useViewer', () => ({
  useViewer: () => ({ viewer: null, mayWork: true, mayAdminister: true }),
}));

const server = new ApolloLink(
  ({ operationName }) =>
    new Observable<ApolloLink.Result>((observer) => {
      if (operationName !== 'RuleCreate') return;
      observer.next({
        data: {
          ruleCreate: {
            __typename: 'RulePayload',
            rule: { __typename: 'Rule', id: 'r1', version: 1 },
            errors: [],
          },
        },
      });
      observer.complete();
    }),
);

function show() {
  const root = createRootRoute({ component: Outlet });
  const rules = createRoute({ getParentRoute: () => root, path: '/rules', component: () => <h1>All rules</h1> });
  const made = createRoute({ getParentRoute: () => root, path: '/rules/new', component: RuleEditorPage });
  const router = createRouter({
    routeTree: root.addChildren([rules, made]),
    history: createMemoryHistory({ initialEntries: ['/rules/new'] }),
  });
  const client = new ApolloClient({ cache: createCache(), link: server });
  render(
    <ApolloProvider client={client}>
      <RouterProvider router={router as never} />
    </ApolloProvider>,
  );
  return router;
}

test('a rule that is stored is left without a question', async () => {
  const ask = vi.spyOn(window, 'confirm').mockReturnValue(false);
  show();
  fireEvent.change(await screen.findByLabelText('Rule'), { target: { value: 'title: mine' } });
  fireEvent.click(screen.getByRole('button', { name: /Store rule/ }));
  await screen.findByText('All rules');
  expect(ask).not.toHaveBeenCalled();
});

test('one that is not stored is asked about', async () => {
  const ask = vi.spyOn(window, 'confirm').mockReturnValue(false);
  const router = show();
  fireEvent.change(await screen.findByLabelText('Rule'), { target: { value: 'title: mine' } });
  void router.navigate({ to: '/rules' });
  await waitFor(() => expect(ask).toHaveBeenCalled());
  expect(screen.queryByText('All rules')).toBeNull();
});
