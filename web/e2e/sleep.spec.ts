// A tab that sleeps, or that nobody looks at, misses nothing.
import { type CDPSession, expect, type Page, test } from '@playwright/test';
import { encodedPowerShell, ingest, logIn, row, shared, waitLive } from './actions';
import { Link } from './link';

/** More than the 10 s between two pings of the client. */
const nap = 12_000;

/** The positions that the queue's feed begins or goes on from. */
function feedStarts(page: Page): string[] {
  const starts: string[] = [];
  page.on('websocket', (socket) =>
    socket.on('framesent', ({ payload }) => {
      const message = JSON.parse(String(payload));
      if (message.type === 'subscribe' && message.payload.operationName === 'AlertQueueFeed') {
        starts.push(message.payload.variables.after);
      }
    }),
  );
  return starts;
}

/** How often the list itself was read. */
function listReads(page: Page): () => number {
  let reads = 0;
  page.on('request', (request) => {
    if (request.postData()?.includes('query AlertQueue(')) reads++;
  });
  return () => reads;
}

const freeze = (session: CDPSession, state: 'frozen' | 'active') =>
  session.send('Page.setWebLifecycleState', { state });

test('a laptop sleeps while alerts come in; awake, it shows each of them once', async ({ page, context, request }) => {
  test.setTimeout(120_000);
  const target = shared();
  const link = await Link.to(target.url);
  try {
    const starts = feedStarts(page);
    const reads = listReads(page);
    await logIn(page, { ...target, url: link.url }, '/alerts?q=ws-sleep');
    await waitLive(page);
    await ingest(request, target, [encodedPowerShell('ws-sleep-before')]);
    await expect(row(page, 'ws-sleep-before')).toBeVisible();
    const [read, first] = [reads(), starts.at(-1)];

    const session = await context.newCDPSession(page);
    await freeze(session, 'frozen');
    link.deaden();
    const hosts = [1, 2, 3].map((n) => `ws-sleep-${n}`);
    for (const host of hosts) await ingest(request, target, [encodedPowerShell(host)]);
    await new Promise((done) => setTimeout(done, nap));
    await freeze(session, 'active');

    for (const host of hosts) await expect(row(page, host)).toHaveCount(1);
    await waitLive(page);
    await expect(row(page, 'ws-sleep-before')).toHaveCount(1);
    expect(reads(), 'the list was not read anew').toBe(read);
    expect(starts.at(-1), 'the feed went on from a later position').not.toBe(first);
    await ingest(request, target, [encodedPowerShell('ws-sleep-after')]);
    await expect(row(page, 'ws-sleep-after'), 'and it is live').toBeVisible();
  } finally {
    await link.stop();
  }
});

test('a hidden tab goes on by a timer, and shows everything when it is looked at', async ({ page, request }) => {
  const target = shared();
  await logIn(page, target, '/alerts?q=ws-hidden');
  await waitLive(page);
  // A browser draws no frames for a hidden tab; a headless one does not hide tabs by itself.
  await page.evaluate(() => {
    Object.defineProperty(document, 'hidden', { configurable: true, get: () => true });
    window.requestAnimationFrame = () => 1;
    document.dispatchEvent(new Event('visibilitychange'));
  });
  await ingest(request, target, [encodedPowerShell('ws-hidden-1'), encodedPowerShell('ws-hidden-2')]);
  const grid = page.getByRole('grid', { name: 'Alerts' });
  await expect(grid.getByRole('row').filter({ hasText: 'ws-hidden-1' })).toHaveCount(1);
  await expect(grid.getByRole('row').filter({ hasText: 'ws-hidden-2' })).toHaveCount(1);
});
