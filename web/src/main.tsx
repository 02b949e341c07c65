import { ApolloProvider } from '@apollo/client/react';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { createApollo } from './api/client';
import { getSession, subscribeSession } from './api/session';
import { createFeedClient } from './api/socket';
import { router } from './app/router';
import './index.css';

const apollo = createApollo(createFeedClient());

// The session may end in another tab, or on the server: then the login, and back here after it.
let had = getSession() !== null;
subscribeSession(() => {
  const has = getSession() !== null;
  if (had && !has) {
    const { href, pathname } = router.state.location;
    if (pathname !== '/login') void router.navigate({ to: '/login', search: { to: href } });
    void apollo.clearStore();
  }
  had = has;
});

const root = document.getElementById('root');
if (!root) throw new Error('index.html has no #root');
createRoot(root).render(
  <StrictMode>
    <ApolloProvider client={apollo}>
      <RouterProvider router={router} />
    </ApolloProvider>
  </StrictMode>,
);
