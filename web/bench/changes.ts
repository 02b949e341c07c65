// Alerts as a busy day makes them, over the public endpoints: seeded first, then
// changed at a steady rate.
import type { Target } from '../e2e/actions';

/** Records of the starter pack's rules, of each severity; every host is an alert of its own. */
const kinds: ((host: string) => object)[] = [
  (host) => ({
    EventID: 1,
    Channel: 'Microsoft-Windows-Sysmon/Operational',
    Provider: 'Microsoft-Windows-Sysmon',
    Computer: host,
    User: 'CORP\\ana',
    Image: 'C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe',
    ParentImage: 'C:\\Windows\\explorer.exe',
    CommandLine: 'powershell.exe -nop -w hidden -enc SQBFAFgAIAAoAE4AZQB3AC0ATwBiAGoAZQBjAHQAKQA=',
  }),
  (host) => ({
    EventID: 1,
    Channel: 'Microsoft-Windows-Sysmon/Operational',
    Provider: 'Microsoft-Windows-Sysmon',
    Computer: host,
    User: 'CORP\\dan',
    Image: 'C:\\Windows\\System32\\vssadmin.exe',
    ParentImage: 'C:\\Windows\\System32\\cmd.exe',
    CommandLine: 'vssadmin.exe delete shadows /all /quiet',
  }),
  (host) => ({
    __REALTIME_TIMESTAMP: String(Date.now() * 1000),
    _HOSTNAME: host,
    SYSLOG_IDENTIFIER: 'sshd',
    MESSAGE: 'Invalid user oracle from 203.0.113.7 port 4000',
  }),
];

const record = (n: number) => (kinds[n % kinds.length] as (host: string) => object)(`host-${n}.corp.example`);

async function send(target: Target, records: object[]): Promise<void> {
  const response = await fetch(`${target.url}/api/ingest`, {
    method: 'POST',
    headers: { authorization: `Bearer ${target.token}`, 'content-type': 'application/x-ndjson' },
    body: records.map((r) => JSON.stringify(r)).join('\n'),
    signal: AbortSignal.timeout(60_000),
  });
  if (!response.ok) throw new Error(`ingest: ${response.status} ${await response.text()}`);
}

async function ask<T>(target: Target, token: string, query: string, variables: object): Promise<T> {
  const response = await fetch(`${target.url}/api/graphql`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
    signal: AbortSignal.timeout(60_000),
  });
  const { data, errors } = (await response.json()) as { data: T; errors?: { message: string }[] };
  if (errors) throw new Error(errors.map((e) => e.message).join('; '));
  return data;
}

/** Raises `count` alerts. */
export async function seed(target: Target, count: number): Promise<void> {
  const step = 1_000;
  for (let from = 0; from < count; from += step) {
    await send(
      target,
      Array.from({ length: Math.min(step, count - from) }, (_, n) => record(from + n)),
    );
  }
}

export interface ChangeOptions {
  /** Alerts that there are already. */
  seeded: number;
  /** Changes a second: 6 of 10 are further matches, 3 new alerts, 1 an alert that is closed. */
  rate: number;
  /** A token that may write. */
  token: string;
}

/** Changes alerts until it is stopped. */
export class Changes {
  made = 0;
  /** What went wrong, if anything: a measurement with failures is none. */
  readonly failures: unknown[] = [];
  private next: number;
  private stopping = false;
  private readonly work: Promise<unknown>;
  private readonly started = performance.now();

  constructor(
    private readonly target: Target,
    private readonly options: ChangeOptions,
  ) {
    this.next = options.seeded;
    // Two senders: one waits for each of its commits.
    this.work = Promise.all([
      this.every(200, () => this.match()),
      this.every(200, () => this.match()),
      this.every(1_000, () => this.close()),
    ]);
  }

  /** Changes a second since the start. */
  get rate(): number {
    return this.made / ((performance.now() - this.started) / 1_000);
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await this.work;
  }

  /** Every `period` ms, however long it took; what was missed is made up for. */
  private async every(period: number, work: () => Promise<number>): Promise<void> {
    const began = performance.now();
    for (let turn = 0; !this.stopping; turn++) {
      const wait = began + turn * period - performance.now();
      if (wait > 0) await new Promise((done) => setTimeout(done, wait));
      try {
        const made = await work(); // first: the sum is read when it is written, and others write it meanwhile
        this.made += made;
      } catch (error) {
        this.failures.push(error);
      }
    }
  }

  private async match(): Promise<number> {
    const again = Math.round(this.options.rate * 0.06);
    const fresh = Math.round(this.options.rate * 0.03);
    const records = [
      // Mostly what was seen lately, as attacks go on.
      ...Array.from({ length: again }, () => record(this.next - 1 - Math.floor(Math.random() ** 3 * this.next))),
      ...Array.from({ length: fresh }, () => record(this.next++)),
    ];
    await send(this.target, records);
    return records.length;
  }

  private async close(): Promise<number> {
    const count = Math.round(this.options.rate * 0.1);
    const { alerts } = await ask<{ alerts: { nodes: { id: string }[] } }>(
      this.target,
      this.options.token,
      'query Newest($first: Int!) { alerts(first: $first, filter: {status: {eq: NEW}}) { nodes { id } } }',
      { first: count },
    );
    await ask(
      this.target,
      this.options.token,
      'mutation Close($input: AlertBulkInput!) { alertBulk(input: $input) { errors { message } } }',
      { input: { action: 'CLOSE', ids: alerts.nodes.map((a) => a.id), disposition: 'BENIGN', reason: 'bench' } },
    );
    return alerts.nodes.length;
  }
}
