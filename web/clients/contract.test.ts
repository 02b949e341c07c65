// GraphQL over HTTP, by the public audit, and the dashboard on a server that runs
// its operations and no others.

import { readFile } from 'node:fs/promises';
import { ApolloClient, HttpLink, InMemoryCache } from '@apollo/client';
import { serverAudits } from 'graphql-http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Server } from '../e2e/server';
import { AlertQueueDocument } from '../src/features/alerts/AlertQueue.generated';

describe('GraphQL over HTTP', () => {
  let server: Server;
  let reader: string;

  beforeAll(async () => {
    server = await Server.start();
    reader = await server.token('read');
  }, 120_000);
  afterAll(() => server?.stop(), 60_000);

  // The audit reads the schema here and there, which takes a viewer.
  const fetchFn: typeof fetch = (input, init) => {
    const headers = new Headers(init?.headers);
    headers.set('authorization', `Bearer ${reader}`);
    return fetch(input, { ...init, headers });
  };

  test.each(
    serverAudits({ url: () => `${server.url}/api/graphql`, fetchFn }).map(
      (audit) => [audit.id, audit.name, audit] as const,
    ),
  )('%s %s', async (_id, _name, audit) => {
    const result = await audit.fn();
    expect(result.status === 'ok' ? 'ok' : `${result.status}: ${result.reason}`).toBe('ok');
  });
});

describe('a server of trusted operations', () => {
  let server: Server;
  let reader: string;

  beforeAll(async () => {
    server = await Server.start({ args: ['--trusted-operations', 'dashboard'] });
    reader = await server.token('read');
  }, 120_000);
  afterAll(() => server?.stop(), 60_000);

  const url = () => `${server.url}/api/graphql`;
  const ask = async (body: object) => {
    const response = await fetch(url(), {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/graphql-response+json',
        authorization: `Bearer ${reader}`,
      },
      body: JSON.stringify(body),
    });
    const answer = (await response.json()) as { data?: unknown; errors?: { extensions: { code: string } }[] };
    return { status: response.status, code: answer.errors?.[0]?.extensions.code, data: answer.data };
  };

  test('runs what the dashboard asks', async () => {
    const link = new HttpLink({ uri: url(), headers: { authorization: `Bearer ${reader}` } });
    const client = new ApolloClient({ cache: new InMemoryCache(), link, dataMasking: true });
    const { data } = await client.query({ query: AlertQueueDocument, variables: { first: 10 } });
    expect(data?.alerts.totalCount).toBe(0);
  });

  test('knows every operation of the manifest', async () => {
    const text = await readFile(new URL('../dist/operations.json', import.meta.url), 'utf8');
    const all = Object.entries(JSON.parse(text) as Record<string, string>);
    expect(all.length).toBeGreaterThan(20);
    for (const [hash] of all) {
      const { code } = await ask({ extensions: { persistedQuery: { version: 1, sha256Hash: hash } } });
      // Without its variables an operation may be wrong, but it is found and trusted.
      expect([undefined, 'BAD_INPUT', 'FORBIDDEN', 'UNAUTHENTICATED']).toContain(code);
      expect(code).not.toBe('PERSISTED_QUERY_NOT_FOUND');
    }
  });

  test('refuses everything else', async () => {
    expect(await ask({ query: '{ viewer { role } }' })).toMatchObject({ status: 403, code: 'FORBIDDEN' });
    expect(await ask({ query: '{ __schema { types { name } } }' })).toMatchObject({ status: 403, code: 'FORBIDDEN' });
    const unknown = { persistedQuery: { version: 1, sha256Hash: '0'.repeat(64) } };
    expect(await ask({ extensions: unknown })).toMatchObject({ status: 400, code: 'PERSISTED_QUERY_NOT_FOUND' });
  });
});
