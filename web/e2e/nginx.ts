// NGINX with the configuration of the frontend's image, and NGINX as ingress with
// the one of compose.yaml, in a private directory on free ports.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { freePort } from './server';

const images = resolve(import.meta.dirname, '../../images');
const dist = resolve(import.meta.dirname, '../dist');
const program = ['/usr/sbin/nginx', '/opt/homebrew/bin/nginx', '/usr/local/bin/nginx'].find(existsSync);

export const nginxInstalled = program !== undefined;

export class Nginx {
  private constructor(
    readonly url: string,
    private readonly process: ChildProcess,
    private readonly dir: string,
  ) {}

  /** The frontend's image, on another port. */
  static async frontend(): Promise<Nginx> {
    return Nginx.start(async (dir, address) =>
      replaced(await readFile(join(images, 'frontend/nginx.conf'), 'utf8'), {
        'listen 3000;': `listen ${address};`,
        '/usr/share/secmon;': `${dist};`,
        ' /tmp/': ` ${dir}/`,
        '/dev/stdout': join(dir, 'access.log'),
      }),
    );
  }

  /** One address for a frontend and a backend. */
  static async ingress(frontend: string, backend: string): Promise<Nginx> {
    const template = await readFile(join(images, 'compose/ingress.conf.template'), 'utf8');
    return Nginx.start(async (dir, address) => {
      const server = replaced(template, {
        '${BACKEND}': new URL(backend).host,
        '${FRONTEND}': new URL(frontend).host,
        '${LISTEN}': address,
      });
      const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((n) => `${n}_temp_path ${dir}/${n};`);
      return `daemon off; pid ${dir}/pid; events {} http { access_log off; ${temporary.join(' ')}\n${server}}`;
    });
  }

  private static async start(config: (dir: string, address: string) => Promise<string>): Promise<Nginx> {
    if (!program) throw new Error('nginx is not installed: run scripts/install-deps.sh nginx');
    const dir = await mkdtemp(join(tmpdir(), 'secmon-nginx-'));
    const address = `127.0.0.1:${await freePort()}`;
    // The image's user is not root; here root's workers have to reach the directory.
    const user = process.getuid?.() === 0 ? 'user root;\n' : '';
    await writeFile(join(dir, 'nginx.conf'), user + (await config(dir, address)));
    const child = spawn(program, ['-p', dir, '-e', 'stderr', '-c', join(dir, 'nginx.conf')], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let log = '';
    child.stderr?.on('data', (text) => {
      log += text;
    });
    const nginx = new Nginx(`http://${address}`, child, dir);
    for (let n = 0; ; n++) {
      const answered = await fetch(nginx.url).then(
        () => true,
        () => false,
      );
      if (answered) return nginx;
      if (child.exitCode !== null || n > 100) throw new Error(`nginx does not answer:\n${log}`);
      await new Promise((done) => setTimeout(done, 50));
    }
  }

  async stop(): Promise<void> {
    const ended = new Promise((done) => this.process.once('exit', done));
    this.process.kill('SIGTERM');
    await ended;
    await rm(this.dir, { recursive: true, force: true });
  }
}

function replaced(text: string, by: Record<string, string>): string {
  for (const old of Object.keys(by)) if (!text.includes(old)) throw new Error(`the configuration has no ${old}`);
  const keys = Object.keys(by).map((k) => k.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return text.replace(new RegExp(keys.join('|'), 'g'), (old) => by[old] ?? old);
}
