// GraphiQL on our API, with the viewer's own token; nothing is loaded from elsewhere.
import 'graphiql/setup-workers/vite';
import { createGraphiQLFetcher } from '@graphiql/toolkit';
import { GraphiQL } from 'graphiql';
import { createRoot } from 'react-dom/client';
import { endpoint, freshToken, getSession, subscribeSession } from '../src/api/session';
import { createFeedClient } from '../src/api/socket';
import { examples } from './examples';
import 'graphiql/style.css';
import './playground.css';

function toLogin(): void {
  location.replace(`/login?to=${encodeURIComponent(location.pathname)}`);
}

/** Sends the token that is good now; a header of the editor's own wins. */
const withToken: typeof fetch = async (input, init) => {
  const headers = new Headers(init?.headers);
  const token = await freshToken();
  if (token && !headers.has('authorization')) headers.set('authorization', `Bearer ${token}`);
  return fetch(input, { ...init, headers, credentials: 'same-origin' });
};

function Playground() {
  const kept = document.documentElement.dataset.theme;
  return (
    <GraphiQL
      fetcher={createGraphiQLFetcher({ url: endpoint, fetch: withToken, wsClient: createFeedClient() })}
      defaultTabs={examples}
      forcedTheme={kept === 'dark' || kept === 'light' ? kept : undefined}
      defaultEditorToolsVisibility="variables"
    >
      <GraphiQL.Logo>
        <a href="/alerts" className="back">
          ← Security Monitor
        </a>
      </GraphiQL.Logo>
    </GraphiQL>
  );
}

if (getSession()) {
  subscribeSession(() => {
    if (!getSession()) toLogin();
  });
  const root = document.getElementById('root');
  if (!root) throw new Error('index.html has no #root');
  createRoot(root).render(<Playground />);
} else {
  toLogin();
}
