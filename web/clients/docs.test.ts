// The examples of docs/feeds.md that can run here do, so that they cannot rot.
import { type ChildProcess, spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Server } from '../e2e/server';

let server: Server;
let ingest: string;
let reader: string;
let document: string;

beforeAll(async () => {
  document = await readFile(new URL('../../docs/feeds.md', import.meta.url), 'utf8');
  server = await Server.start();
  ingest = await server.ingestToken();
  reader = await server.token('read');
}, 120_000);

afterAll(() => server?.stop(), 60_000);

/** The code block that is marked with a name. */
function example(name: string): string {
  const code = new RegExp(`^\`\`\`\\w+ ${name}\\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(document)?.[1];
  if (!code) throw new Error(`docs/feeds.md has no example ${name}`);
  return code;
}

async function store(message: string): Promise<void> {
  const response = await fetch(`${server.url}/api/ingest`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ingest}`, 'content-type': 'application/x-ndjson' },
    body: `${JSON.stringify({ message, host: 'web-1' })}\n`,
  });
  expect(response.ok).toBe(true);
}

/** A running example. */
class Run {
  out = '';
  readonly child: ChildProcess;

  constructor(command: string, args: string[], lastId = '') {
    this.child = spawn(command, args, {
      env: { ...process.env, SECMON_URL: server.url, SECMON_TOKEN: reader, LAST_ID: lastId },
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.on('data', (text) => {
        this.out += text;
      });
    }
  }

  async until(found: (out: string) => boolean): Promise<void> {
    const deadline = Date.now() + 20_000;
    while (!found(this.out)) {
      if (Date.now() > deadline) throw new Error(`it has not come:\n${this.out}`);
      await new Promise((done) => setTimeout(done, 20));
    }
  }

  stop(): void {
    this.child.kill('SIGKILL');
  }
}

test('curl', { timeout: 60_000 }, async () => {
  const first = new Run('sh', ['-c', `exec ${example('curl').replaceAll('\\\n', ' ')}`]);
  await first.until((out) => out.includes('event: next'));
  await store('by curl 1');
  await first.until((out) => out.includes('by curl 1'));
  first.stop();
  await store('by curl 2');
  const ids = [...first.out.matchAll(/^id: (.*)$/gm)];
  const again = new Run('sh', ['-c', `exec ${example('curl').replaceAll('\\\n', ' ')}`], ids.at(-1)?.[1]);
  await again.until((out) => out.includes('by curl 2'));
  again.stop();
  expect(again.out).not.toContain('by curl 1');
});

test('node', { timeout: 120_000 }, async () => {
  const file = join(tmpdir(), `secmon-example-${process.pid}.mjs`);
  await writeFile(file, example('node'));
  const head = new Run('sh', ['-c', `exec ${example('curl').replaceAll('\\\n', ' ')}`]);
  await head.until((out) => /^id: /m.test(out));
  head.stop();
  const run = new Run(process.execPath, [file], /^id: (.*)$/m.exec(head.out)?.[1]);
  await store('by node 1');
  await run.until((out) => out.includes('web-1 by node 1'));
  server.kill();
  await server.resume();
  await store('by node 2');
  await store('by node 3');
  await run.until((out) => out.includes('web-1 by node 3'));
  run.stop();
  expect(run.out.split('\n').filter((line) => line.startsWith('web-1 '))).toEqual(
    [1, 2, 3].map((n) => `web-1 by node ${n}`),
  );
});
