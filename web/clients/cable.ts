// A TCP cable that a test can cut, to break connections without a word.
import { connect, createServer, type Server as NetServer, type Socket } from 'node:net';

export class Cable {
  private readonly open = new Set<Socket>();
  private refusing = false;

  private constructor(
    private readonly server: NetServer,
    readonly port: number,
  ) {}

  static start(target: URL): Promise<Cable> {
    return new Promise((done) => {
      const server = createServer((client) => {
        if (cable.refusing) {
          client.destroy();
          return;
        }
        const upstream = connect(Number(target.port), target.hostname);
        for (const [from, to] of [
          [client, upstream],
          [upstream, client],
        ] as const) {
          cable.open.add(from);
          from.pipe(to);
          from.on('error', () => to.destroy());
          from.on('close', () => {
            cable.open.delete(from);
            to.destroy();
          });
        }
      });
      let cable: Cable;
      server.listen(0, '127.0.0.1', () => {
        cable = new Cable(server, (server.address() as { port: number }).port);
        done(cable);
      });
    });
  }

  /** Breaks all connections, and refuses new ones until `mend`. */
  cut(): void {
    this.refusing = true;
    for (const socket of this.open) socket.destroy();
  }

  mend(): void {
    this.refusing = false;
  }

  stop(): void {
    this.cut();
    this.server.close();
  }
}
