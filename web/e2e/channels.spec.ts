// A channel from its preview to its delivery log, against a receiver of the test's own.
import { expect, test } from '@playwright/test';
import { encodedPowerShell, encodedPowerShellTitle, expectAccessible, ingest, logIn } from './actions';
import { startReceiver } from './receiver';
import { Server } from './server';

test('an analyst has a chat told of alerts in their own words, sees what failed, and sends it again', async ({
  page,
  request,
}) => {
  test.setTimeout(300_000);
  const receiver = await startReceiver();
  const server = await Server.start({ args: ['--webhook-allow=127.0.0.0/8'] });
  const bodiesOf = (host: string) => receiver.received.filter(({ body }) => body.includes(host));
  try {
    const target = { url: server.url, password: server.password, token: await server.ingestToken() };
    await ingest(request, target, [encodedPowerShell('ws-chan-a'), encodedPowerShell('ws-chan-b')]);
    await logIn(page, target, '/channels');
    await expect(page.getByRole('heading', { name: 'Nobody is told of alerts' })).toBeVisible();

    await page.getByRole('button', { name: 'New channel', exact: true }).click();
    const dialog = page.getByRole('dialog', { name: 'New channel' });
    await dialog.getByRole('radio', { name: /^Any address/ }).check({ force: true }); // its label is what is seen
    await dialog.getByLabel('Name', { exact: true }).fill('Chat of the night shift');
    await dialog.getByLabel('Address', { exact: true }).fill(receiver.url);
    await dialog.getByLabel('Header', { exact: true }).fill('Authorization');
    await dialog.getByLabel('Value of the header', { exact: true }).fill('Bearer owl');
    const query = dialog.getByRole('combobox', { name: 'Alerts that match', exact: true });
    await query.fill('host:nobody');
    await dialog.getByLabel('Minutes between messages', { exact: true }).fill('0');

    // The preview: an example while nothing matches, what is wrong at its field, then one's own words.
    const message = dialog.getByRole('article', { name: 'The message', exact: true });
    await expect(dialog.getByText('No alert matches: this is an example.')).toBeVisible();
    await dialog.getByLabel('Text', { exact: true }).fill('{{.Nope}}');
    await expect(dialog.getByLabel('Text', { exact: true })).toHaveAttribute('aria-invalid', 'true');
    await expect(message).toBeHidden();
    await expectAccessible(page, 'a template that is wrong');
    await dialog.getByLabel('Heading', { exact: true }).fill('Owl: {{.Total}} of {{.Severity}}');
    await dialog
      .getByLabel('Text', { exact: true })
      .fill('{{range .Alerts}}Look at {{.Host}}: {{.Title}}{{"\\n"}}{{end}}');
    await expect(message).toContainText('Look at web-1.example.com: ');
    await query.fill('host:ws-chan-*');
    await query.press('Enter');
    await expect(dialog.getByText('Made of the newest alert that matches.')).toBeVisible();
    await expect(message).toContainText('Owl: 1 of ');
    await dialog.getByRole('button', { name: 'A storm, summed up', exact: true }).click();
    await expect(message).toContainText('Owl: 2 of ');
    await expect(message).toContainText('Look at ws-chan-a: ');
    await expect(dialog.getByText('Made of the 2 newest alerts that match.')).toBeVisible();
    await expect(dialog.getByRole('region', { name: 'As it is sent', exact: true })).toContainText('"notice"');
    await dialog.getByRole('checkbox', { name: /^Quiet hours/ }).check();
    await expect(dialog.getByLabel('Time zone', { exact: true })).toBeVisible();
    await expectAccessible(page, 'a new channel');
    await page.emulateMedia({ colorScheme: 'dark' });
    await expectAccessible(page, 'a new channel in the dark');
    await page.emulateMedia({ colorScheme: 'light' });
    await dialog.getByRole('checkbox', { name: /^Quiet hours/ }).uncheck();
    await dialog.getByRole('button', { name: 'Create channel', exact: true }).click();

    const row = page
      .getByRole('grid', { name: 'Channels' })
      .getByRole('row')
      .filter({ hasText: 'Chat of the night shift' });
    await expect(row).toContainText('Active');
    await expect(row).toContainText('Any address');
    await row.click();
    await expect(page).toHaveURL(/channel=/);
    const panel = page.getByRole('complementary', { name: 'Channel', exact: true });
    await panel.getByRole('button', { name: 'Send a test', exact: true }).click();
    await expect(panel.getByText('The test arrived: HTTP 200.')).toBeVisible();
    await expect(panel.getByText('thanks', { exact: true })).toBeVisible();
    expect(receiver.received[0]?.headers['secmon-test']).toBe('true');
    expect(receiver.received[0]?.headers.authorization).toBe('Bearer owl');

    // An alert arrives by itself in the words of the template, and the log shows it without a reload.
    await ingest(request, target, [encodedPowerShell('ws-chan-1')]);
    await expect.poll(() => bodiesOf('ws-chan-1').length, { timeout: 60_000 }).toBe(1);
    const sent = JSON.parse(bodiesOf('ws-chan-1')[0]?.body ?? '{}');
    expect(sent.subject).toMatch(/^Owl: 1 of [A-Z]+$/);
    expect(sent.text).toBe(`Look at ws-chan-1: ${encodedPowerShellTitle}`);
    const second = panel.getByRole('button', { name: /^#2\b/ });
    await expect(second).toContainText('Arrived', { timeout: 30_000 });
    await expectAccessible(page, 'a channel');
    await page.emulateMedia({ colorScheme: 'dark' });
    await expectAccessible(page, 'a channel in the dark');
    await page.emulateMedia({ colorScheme: 'light' });

    // Its log shows the body, under an address of its own; it is sent again under the same id.
    await second.click();
    const delivery = page.getByRole('dialog', { name: 'Delivery 2', exact: true });
    await expect(delivery.getByRole('region', { name: 'Body of the delivery' })).toContainText('Look at ws-chan-1');
    await page.reload();
    await expect(delivery.getByRole('region', { name: 'Body of the delivery' })).toContainText('Look at ws-chan-1');
    await delivery.getByRole('button', { name: 'Send again', exact: true }).click();
    await expect.poll(() => bodiesOf('ws-chan-1').length, { timeout: 60_000 }).toBe(2);
    const [first, again] = bodiesOf('ws-chan-1').map(({ headers }) => headers['idempotency-key']);
    expect(first).toBeTruthy();
    expect(again).toBe(first);
    await delivery.getByRole('button', { name: 'Close', exact: true }).last().click();

    // A receiver that fails: the error stands in the list, in the panel and at a test.
    receiver.state.status = 500;
    await ingest(request, target, [encodedPowerShell('ws-chan-2')]);
    await expect(row).toContainText('Failing', { timeout: 60_000 });
    await expect(panel.getByText(/^Nothing has arrived since/)).toContainText('500');
    await panel.getByRole('button', { name: 'Send a test', exact: true }).click();
    await expect(panel.getByText(/^The test did not arrive: .*500/)).toBeVisible();
    await expect(panel.getByText('broken', { exact: true })).toBeVisible();
    await expectAccessible(page, 'a channel that fails');
    receiver.state.status = 200;
    await panel.getByRole('button', { name: 'Try now', exact: true }).click();
    await expect(row).toContainText('Active', { timeout: 60_000 });
    const keys = bodiesOf('ws-chan-2')
      .filter(({ headers }) => !headers['secmon-test'])
      .map(({ headers }) => headers['idempotency-key']);
    expect(keys.length).toBeGreaterThan(1);
    expect(new Set(keys).size, 'one id however often it is sent').toBe(1);

    // Edited without its secret it keeps that; led elsewhere it asks for it.
    await panel.getByRole('button', { name: 'Edit', exact: true }).click();
    const editing = page.getByRole('dialog', { name: 'Edit the channel' });
    await expect(editing.getByLabel('Value of the header', { exact: true })).toHaveValue('');
    await editing.getByLabel('Address', { exact: true }).fill(`${receiver.url}/elsewhere`);
    await editing.getByRole('button', { name: 'Save', exact: true }).click();
    await expect(editing.getByText('it leads elsewhere now: give the secret again')).toBeVisible();
    await editing.getByLabel('Address', { exact: true }).fill(receiver.url);
    await editing.getByLabel('Name', { exact: true }).fill('Chat of the day shift');
    await editing.getByRole('button', { name: 'Save', exact: true }).click();
    await expect(editing).toBeHidden();
    await expect(panel.getByRole('heading', { name: 'Chat of the day shift' })).toBeVisible();
    await expect(panel.getByRole('region', { name: 'History' })).toContainText('Channel changed');

    await panel.getByRole('switch', { name: 'Switched on' }).click();
    await expect(panel.getByRole('switch', { name: 'Switched on' })).toHaveAttribute('aria-checked', 'false');
    await panel.getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete', exact: true }).click();
    await expect(page.getByRole('heading', { name: 'Nobody is told of alerts' })).toBeVisible();
  } finally {
    await server.stop();
    receiver.close();
  }
});
