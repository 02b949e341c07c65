// A webhook from its preview to its delivery log, against a receiver of the test's own.
import { expect, test } from '@playwright/test';
import { encodedPowerShell, expectAccessible, ingest, logIn } from './actions';
import { startReceiver } from './receiver';
import { Server } from './server';

test('an analyst sends alerts to an address, sees what failed, and sends it again', async ({ page, request }) => {
  test.setTimeout(240_000);
  const receiver = await startReceiver();
  const server = await Server.start({ args: ['--webhook-allow=127.0.0.0/8'] });
  try {
    const target = { url: server.url, password: server.password, token: await server.ingestToken() };
    await ingest(request, target, [encodedPowerShell('ws-hook-0')]);
    await logIn(page, target, '/webhooks');
    await expect(page.getByRole('heading', { name: 'Nothing is sent elsewhere' })).toBeVisible();

    await page.getByRole('button', { name: 'New webhook', exact: true }).click();
    const dialog = page.getByRole('dialog', { name: 'New webhook' });
    await dialog.getByLabel('Name', { exact: true }).fill('Chat of the night shift');
    await dialog.getByLabel('Address', { exact: true }).fill(receiver.url);
    await dialog.getByLabel('Variables', { exact: true }).fill('{ "filter": { "query": "host:ws-hook-*" } }');
    await dialog.getByRole('button', { name: 'Preview', exact: true }).click();
    await expect(dialog.getByRole('region', { name: 'What it would send of the newest changes' })).toContainText(
      'ws-hook-0',
    );
    await expectAccessible(page, 'a new webhook');
    await dialog.getByRole('button', { name: 'Create webhook', exact: true }).click();
    const secret = page.getByRole('dialog', { name: 'Secret of the webhook' });
    await expect(secret).toContainText('whsec_');
    await secret.getByRole('button', { name: 'Done', exact: true }).click();

    const line = page
      .getByRole('grid', { name: 'Webhooks' })
      .getByRole('row')
      .filter({ hasText: 'Chat of the night shift' });
    await expect(line).toContainText('Active');
    await line.click();
    const panel = page.getByRole('complementary', { name: 'Webhook', exact: true });
    await panel.getByRole('button', { name: 'Send a test', exact: true }).click();
    await expect(panel.getByRole('button', { name: /^#1\b/ })).toContainText('Arrived');
    expect(receiver.received[0]?.headers['secmon-test']).toBe('true');

    // What happens arrives by itself, and the log shows it without a reload.
    await ingest(request, target, [encodedPowerShell('ws-hook-1')]);
    const second = panel.getByRole('button', { name: /^#2\b/ });
    await expect(second).toContainText('Arrived', { timeout: 30_000 });
    expect(receiver.received.some(({ body }) => body.includes('ws-hook-1'))).toBe(true);
    await expectAccessible(page, 'a webhook');
    await page.emulateMedia({ colorScheme: 'dark' });
    await expectAccessible(page, 'a webhook in the dark');
    await page.emulateMedia({ colorScheme: 'light' });

    // A receiver that fails: the state says so, the delivery shows body and answer, and goes out again by hand.
    receiver.state.status = 500;
    await ingest(request, target, [encodedPowerShell('ws-hook-2')]);
    await expect(line).toContainText('Failing', { timeout: 30_000 });
    await panel.getByRole('button', { name: /^#3\b/ }).click();
    const delivery = page.getByRole('dialog', { name: 'Delivery 3', exact: true });
    await expect(delivery.getByRole('region', { name: 'Body of the delivery' })).toContainText('ws-hook-2');
    await expect(delivery.getByText('HTTP 500').first()).toBeVisible();
    await expect(delivery.getByText('broken').first()).toBeVisible();
    await expectAccessible(page, 'a delivery that failed');
    receiver.state.status = 200;
    // It may go out by itself before the button is pressed: either way it arrives.
    await delivery.getByRole('button', { name: /^(Try now|Send again)$/ }).click();
    await expect(delivery.getByText('Arrived', { exact: true })).toBeVisible({ timeout: 30_000 });
    const ids = receiver.received
      .filter(({ body }) => body.includes('ws-hook-2'))
      .map(({ headers }) => headers['webhook-id']);
    expect(new Set(ids).size, 'one id however often it is sent').toBe(1);
    await delivery.getByRole('button', { name: 'Close', exact: true }).last().click();
    await expect(line).toContainText('Active');

    await panel.getByRole('switch', { name: 'Switched on' }).click();
    await expect(line).toContainText('Off');
    await panel.getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete', exact: true }).click();
    await expect(page.getByRole('heading', { name: 'Nothing is sent elsewhere' })).toBeVisible();
  } finally {
    await server.stop();
    receiver.close();
  }
});
