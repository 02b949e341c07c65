import { ApolloClient, ApolloLink, Observable } from '@apollo/client';
import { ApolloProvider } from '@apollo/client/react';
import { render, screen } from '@testing-library/react';
import { expect, test } from 'vitest';
import { createCache } from '../../api/client';
import { AlertValues } from './AlertValues';

test('a line that is refused leaves no panel that loads for ever', async () => {
  const link = new ApolloLink(() => new Observable((observer) => observer.error(new Error('the line is wrong'))));
  const client = new ApolloClient({ cache: createCache(), link });
  render(
    <ApolloProvider client={client}>
      <AlertValues filter={{ query: 'host:' }} field="HOST" onField={() => undefined} onValue={() => undefined} />
    </ApolloProvider>,
  );
  expect(await screen.findByText(/mend the line/)).toBeTruthy();
});
