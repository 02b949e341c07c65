// A wire between browser and server that can go dead without a word, as a
// laptop's does in its sleep: nobody sees a connection end.
import { connect, createServer, type Server, type Socket } from 'node:net';

export class Link {
  readonly #open = new Set<Socket>();

  private constructor(
    readonly url: string,
    private readonly server: Server,
  ) {}

  /** Stands before the server at `url`. */
  static async to(url: string): Promise<Link> {
    const { hostname, port } = new URL(url);
    const server = createServer((near) => {
      const far = connect(Number(port), hostname);
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ] as const) {
        link.#open.add(socket);
        socket.pipe(other);
        socket.on('error', () => other.destroy());
        socket.on('close', () => link.#open.delete(socket));
      }
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const address = server.address();
    if (!address || typeof address !== 'object') throw new Error('no port');
    const link = new Link(`http://127.0.0.1:${address.port}`, server);
    return link;
  }

  /** Nothing more passes over the connections that are open; new ones are as ever. */
  deaden(): void {
    for (const socket of this.#open) {
      socket.unpipe();
      socket.pause();
    }
  }

  /** How many connections are open, both ends counted. */
  get size(): number {
    return this.#open.size;
  }

  async stop(): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    await new Promise((done) => this.server.close(done));
  }
}
