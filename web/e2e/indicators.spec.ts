// Threat intelligence: a list comes in, an event has one of its values, an alert
// names it, and the indicator's end is the alerts' end.
import { expect, type Page, test } from '@playwright/test';
import { encodedPowerShell, encodedPowerShellTitle, expectAccessible, ingest, logIn, shared } from './actions';

const alerts = (page: Page) => page.getByRole('grid', { name: 'Alerts' });
const connection = (host: string) => ({
  time: new Date().toISOString(),
  host,
  dest_ip: '203.0.113.77',
  message: 'connected',
});

test('an imported indicator raises an alert that names it, and none after its end', async ({ page, request }) => {
  const target = shared();
  await logIn(page, target, '/indicators');
  await page.getByRole('button', { name: 'Import' }).click();
  const dialog = page.getByRole('dialog', { name: 'Import indicators' });
  await dialog.getByLabel(/A CSV file/).setInputFiles({
    name: 'story.csv',
    mimeType: 'text/csv',
    buffer: Buffer.from('ioc;confidence\n203.0.113.77;90\nnonsense;1\n'),
  });
  await expect(dialog.getByRole('columnheader', { name: 'ioc' })).toBeVisible();
  await expectAccessible(page, 'import of indicators');
  await dialog.getByRole('button', { name: 'Import' }).click();
  await expect(dialog.getByRole('status')).toContainText('1 new');
  await expect(dialog.getByText('Line 3')).toBeVisible();
  await dialog.getByRole('button', { name: 'Done' }).click();
  const row = page.getByRole('grid', { name: 'Indicators' }).getByRole('row').filter({ hasText: '203.0.113.77' });
  await expect(row).toContainText('Active');

  // It is in force a moment after its import.
  await expect(async () => {
    await ingest(request, target, [connection('ws-intel-1')]);
    await page.goto(`${target.url}/alerts?q=host:ws-intel-1`);
    await expect(alerts(page).getByText('Indicator: 203.0.113.77 (story)')).toBeVisible({ timeout: 1_000 });
  }).toPass();

  await page.goto(`${target.url}/entity?kind=address&value=203.0.113.77`);
  await page.getByRole('link', { name: 'Indicator 203.0.113.77 of story' }).click();
  const panel = page.getByRole('complementary', { name: 'Indicator' });
  await expect(panel).toContainText(/in 1 alert(?!s)/);
  await expectAccessible(page, 'an indicator');
  await panel.getByRole('button', { name: 'Revoke' }).click();
  await expect(panel.getByRole('button', { name: 'Put in force again' })).toBeVisible();
  await expect(async () => {
    const host = `ws-intel-${Date.now()}`;
    // The second record shows when the first has been looked at.
    await ingest(request, target, [connection(host), encodedPowerShell(host)]);
    await page.goto(`${target.url}/alerts?q=host:${host}`);
    await expect(alerts(page).getByText(encodedPowerShellTitle)).toBeVisible({ timeout: 5_000 });
    await expect(alerts(page).getByText(/^Indicator/)).toHaveCount(0, { timeout: 1_000 });
  }).toPass();
});
