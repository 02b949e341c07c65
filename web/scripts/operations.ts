// Writes dist/operations.json: every operation of the dashboard, as its clients
// send it, by its SHA-256. `secmon serve --trusted-operations dashboard` runs
// these and no others.
import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ApolloClient, ApolloLink, InMemoryCache, Observable } from '@apollo/client';
import { type DocumentNode, OperationTypeNode, print } from 'graphql';
import type { Plugin } from 'vite';

const generated = /^export const \w+Document = (\{.*\}) as unknown as DocumentNode</gm;

/** Gives the documents of the generated files below a directory; fragments alone are none. */
async function documents(root: string): Promise<DocumentNode[]> {
  const found: DocumentNode[] = [];
  for (const name of (await readdir(root, { recursive: true })).sort()) {
    if (!name.endsWith('.generated.ts')) continue;
    for (const [, text] of (await readFile(join(root, name), 'utf8')).matchAll(generated)) {
      if (text) found.push(JSON.parse(text));
    }
  }
  return found;
}

/** Gives what Apollo's client makes of a document: with __typename, without what is for itself. */
async function sent(document: DocumentNode): Promise<string> {
  let text = '';
  const link = new ApolloLink((operation) => {
    text = print(operation.query);
    return new Observable((observer) => observer.complete());
  });
  const client = new ApolloClient({ cache: new InMemoryCache(), link, dataMasking: true });
  const [operation] = document.definitions;
  const type = operation?.kind === 'OperationDefinition' ? operation.operation : undefined;
  const ended = () => undefined;
  if (type === OperationTypeNode.SUBSCRIPTION) {
    await new Promise<void>((done) => {
      client.subscribe({ query: document }).subscribe({ complete: done, error: () => done() });
    });
  } else if (type === OperationTypeNode.MUTATION) await client.mutate({ mutation: document }).then(ended, ended);
  else await client.query({ query: document, fetchPolicy: 'network-only' }).then(ended, ended);
  if (!text) throw new Error('the client did not send an operation');
  return text;
}

export async function manifest(root: string): Promise<Record<string, string>> {
  const all: Record<string, string> = {};
  for (const document of await documents(root)) {
    if (!document.definitions.some((d) => d.kind === 'OperationDefinition')) continue;
    // Sessions are opened without Apollo: as they are written.
    for (const text of [await sent(document), print(document)]) {
      if (!/@unmask/.test(text)) all[createHash('sha256').update(text).digest('hex')] = text;
    }
  }
  return all;
}

export function operations(): Plugin {
  let root = '';
  let out = '';
  return {
    name: 'operations',
    apply: 'build',
    configResolved(config) {
      root = join(config.root, 'src');
      out = join(config.root, config.build.outDir, 'operations.json');
    },
    async closeBundle() {
      await writeFile(out, `${JSON.stringify(await manifest(root), null, 1)}\n`);
    },
  };
}
