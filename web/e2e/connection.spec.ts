import { expect, test } from '@playwright/test';
import { encodedPowerShell, ingest, logIn, row, type Target, waitLive } from './actions';
import { Server } from './server';

let server: Server;
let target: Target;

test.beforeAll(async () => {
  test.setTimeout(120_000);
  server = await Server.start();
  target = { url: server.url, password: server.password, token: await server.ingestToken() };
});

test.afterAll(() => server.stop());

test('what came while the connection was lost is there after it', async ({ page, context, request }) => {
  await logIn(page, target);
  await waitLive(page);
  await ingest(request, target, [encodedPowerShell('ws-before')]);
  await expect(row(page, 'ws-before')).toBeVisible();

  await context.setOffline(true);
  await expect(page.getByText('This device is offline.')).toBeVisible();
  await expect(page.getByRole('status', { name: 'Connection: Offline' })).toBeVisible();
  await ingest(
    request,
    target,
    [1, 2, 3].map((n) => encodedPowerShell(`ws-offline-${n}`)),
  );
  await context.setOffline(false);
  await waitLive(page);
  for (const n of [1, 2, 3]) await expect(row(page, `ws-offline-${n}`)).toHaveCount(1);
  await expect(page.getByText('This device is offline.')).toBeHidden();
});

test('a server that restarts is found again, and nothing is missing', async ({ page, request }) => {
  test.setTimeout(120_000);
  await logIn(page, target);
  await waitLive(page);
  // Whoever resumes says so: the payload carries the last cursor.
  const resumed: string[] = [];
  page.on('websocket', (socket) =>
    socket.on('framesent', ({ payload }) => {
      const message = JSON.parse(String(payload));
      if (message.type === 'subscribe' && message.payload.operationName === 'AlertQueueFeed') {
        resumed.push(message.payload.variables.after);
      }
    }),
  );
  await server.pause();
  await expect(page.getByText('The connection to the server is lost')).toBeVisible();
  await server.resume();
  await ingest(request, target, [encodedPowerShell('ws-restarted')]);
  await waitLive(page);
  await expect(row(page, 'ws-restarted')).toHaveCount(1);
  expect(resumed.at(-1), 'it went on from a cursor').toBeTruthy();
});
