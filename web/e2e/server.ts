// Runs the real program: one process with a private database in a directory of
// its own, on a free port.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const root = resolve(import.meta.dirname, '../..');
/** The program under test. */
export const secmon = resolve(process.env.SECMON_BIN ?? join(root, 'bin/secmon'));
const startTime = 90_000;
const stopTime = 30_000;

const run = promisify(execFile);

export interface ServerOptions {
  demo?: boolean;
  /** Further arguments of `secmon serve`, which may depend on its address. */
  args?: string[] | ((url: string) => string[]);
  /** Days that have events before it first starts, the oldest first: "12:web-1,web-2" came in 12 days ago. */
  past?: readonly string[];
}

export class Server {
  readonly password = randomBytes(15).toString('base64url');
  private process: ChildProcess | null = null;
  private log = '';

  private constructor(
    readonly url: string,
    readonly dataDir: string,
    private readonly options: ServerOptions,
  ) {}

  /** Starts a server with an empty database, and waits until it answers. */
  static async start(options: ServerOptions = {}): Promise<Server> {
    if (!existsSync(secmon)) await run('go', ['build', '-o', 'bin/secmon', './cmd/secmon'], { cwd: root });
    const dataDir = await mkdtemp(join(tmpdir(), 'secmon-web-'));
    if (options.past) await run('go', ['run', './e2e/oldevents', dataDir, ...options.past], { cwd: root });
    const server = new Server(`http://127.0.0.1:${await freePort()}`, dataDir, options);
    await server.resume();
    return server;
  }

  /** Starts the process again on the same data and port. */
  async resume(): Promise<void> {
    const child = spawn(
      secmon,
      [
        'serve',
        '--data-dir',
        this.dataDir,
        '--listen',
        new URL(this.url).host,
        `--admin-password=${this.password}`, // it may begin with a dash
        ...(this.options.demo ? ['--demo'] : []),
        ...(typeof this.options.args === 'function' ? this.options.args(this.url) : (this.options.args ?? [])),
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    this.process = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (text) => {
        this.log += text;
      });
    }
    const deadline = Date.now() + startTime;
    while (!(await this.answers())) {
      if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}:\n${this.log}`);
      if (Date.now() > deadline) throw new Error(`the server does not answer:\n${this.log}`);
      await new Promise((done) => setTimeout(done, 200));
    }
  }

  private async answers(): Promise<boolean> {
    return fetch(`${this.url}/api/healthz`).then(
      (response) => response.ok,
      () => false,
    );
  }

  /** Ends the process and keeps the data. */
  async pause(): Promise<void> {
    const child = this.process;
    this.process = null;
    if (!child || child.exitCode !== null) return;
    const ended = new Promise((done) => child.once('exit', done));
    child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), stopTime);
    await ended;
    clearTimeout(late);
  }

  /** Ends the process and removes the data. */
  async stop(): Promise<void> {
    await this.pause();
    await rm(this.dataDir, { recursive: true, force: true });
  }

  /** Ends the process at once, as a power cut does, and keeps the data. */
  kill(): void {
    this.process?.kill('SIGKILL');
    this.process = null;
  }

  /** Makes an API token that may send events. */
  ingestToken(): Promise<string> {
    return this.token('ingest');
  }

  /** Makes an API token with a scope. */
  async token(scope: string): Promise<string> {
    const { stdout } = await run(secmon, [
      'token',
      'create',
      '--data-dir',
      this.dataDir,
      '--name',
      'e2e',
      '--scope',
      scope,
    ]);
    return stdout.trim();
  }
}

export function freePort(): Promise<number> {
  return new Promise((done, failed) => {
    const probe = createServer();
    probe.once('error', failed);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => (address && typeof address === 'object' ? done(address.port) : failed(new Error('no port'))));
    });
  });
}
