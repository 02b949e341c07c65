// GraphiQL on our API, with the viewer's own token; nothing is loaded from elsewhere.
import 'graphiql/setup-workers/vite';
import { createGraphiQLFetcher } from '@graphiql/toolkit';
import { GraphiQL } from 'graphiql';
import { BookMarked, Code, Lightbulb } from 'lucide-react';
import { useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { endpoint, freshToken, getSession, subscribeSession } from '../src/api/session';
import { createFeedClient } from '../src/api/socket';
import { noteBudget } from './budget';
import { CostFooter } from './CostFooter';
import { call } from './call';
import { ExamplesPanel } from './ExamplesPanel';
import { examples } from './examples';
import { asWritten } from './fetcher';
import { SavedPanel } from './SavedPanel';
import { UsePanel } from './UsePanel';
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
  const response = await fetch(input, { ...init, headers, credentials: 'same-origin' });
  noteBudget(response.headers);
  return response;
};

const fetcher = asWritten(createGraphiQLFetcher({ url: endpoint, fetch: withToken, wsClient: createFeedClient() }));
const plugins = [
  { title: 'Examples', icon: () => <Lightbulb />, content: ExamplesPanel },
  { title: 'Saved', icon: () => <BookMarked />, content: SavedPanel },
  { title: 'Use elsewhere', icon: () => <Code />, content: UsePanel },
];
/** What the first visit opens with: a list, and a feed. */
const firstTabs = examples.filter(({ file }) => /triage-open|feeds-alerts/.test(file)).map(({ query }) => ({ query }));

/** Whom the playground is offered to is a setting; null until the server has told. */
function useOffered(): boolean | null {
  const [offered, setOffered] = useState<boolean | null>(null);
  useEffect(() => {
    call<{ settings: { playground: boolean } }>('{ settings { playground } }').then(
      ({ settings }) => setOffered(settings.playground),
      () => setOffered(true), // then GraphiQL shows what is wrong
    );
  }, []);
  return offered;
}

function Playground() {
  const offered = useOffered();
  const kept = document.documentElement.dataset.theme;
  if (offered === null) return null;
  if (!offered) {
    return (
      <main className="refused">
        <h1>The playground is not offered to your role</h1>
        <p>
          An administrator can change that in the settings. API tokens and feeds work as before.{' '}
          <a href="/alerts">Back</a>
        </p>
      </main>
    );
  }
  return (
    <GraphiQL
      fetcher={fetcher}
      plugins={plugins}
      defaultTabs={firstTabs}
      forcedTheme={kept === 'dark' || kept === 'light' ? kept : undefined}
      defaultEditorToolsVisibility="variables"
    >
      <GraphiQL.Logo>
        <a href="/alerts" className="back">
          ← Security Monitor
        </a>
      </GraphiQL.Logo>
      <GraphiQL.Footer>
        <CostFooter />
      </GraphiQL.Footer>
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
