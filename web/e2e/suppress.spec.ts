import { expect, test } from '@playwright/test';
import { encodedPowerShell, expectAccessible, ingest, logIn, row, shared, waitLive } from './actions';

test('an analyst suppresses what an alert is about, sees what it hides, and ends it', async ({ page, request }) => {
  test.setTimeout(270_000);
  const target = shared();
  const host = 'ws-suppress';
  await ingest(request, target, [encodedPowerShell(host), encodedPowerShell(host)]);
  await logIn(page, target, `/alerts?q=${host}`);
  await waitLive(page);
  await expect(row(page, host)).toBeVisible();
  await row(page, host).click();
  const panel = page.getByRole('complementary', { name: 'Alert' });
  await expect(panel.getByRole('button', { name: 'Suppress…' })).toBeVisible();

  // By key: the rule, the host and the user are there already; the preview tells what it would have hidden.
  await page.keyboard.press('s');
  const dialog = page.getByRole('dialog', { name: 'Suppress' });
  await expect(dialog.getByRole('checkbox', { name: 'Host' })).toBeChecked();
  await expect(dialog.getByRole('combobox', { name: 'Only alerts that match' })).toHaveValue(
    new RegExp(`host:${host} user:`),
  );
  const preview = dialog.getByRole('region', { name: 'What it would have hidden' });
  await expect(preview).toContainText('1 alert, 2 findings in all');
  await expectAccessible(page, 'suppressing');
  await dialog.getByRole('checkbox', { name: 'User' }).uncheck();
  await expect(dialog.getByRole('combobox', { name: 'Only alerts that match' })).toHaveValue(`host:${host}`);
  await expect(dialog.getByRole('button', { name: 'Suppress', exact: true }), 'without a reason').toBeDisabled();
  await dialog.getByLabel('Why?').fill('The image of this machine is built so.');
  await dialog.getByRole('button', { name: '7 days' }).click();
  await dialog.getByRole('button', { name: 'Suppress', exact: true }).click();
  await expect(dialog).toBeHidden();
  const covered = panel.getByText('Further findings like this raise no alert');
  await expect(covered).toBeVisible();
  await expectAccessible(page, 'an alert that is suppressed');

  // Further findings raise nothing and add nothing; they are counted.
  await expect(panel.getByText('2 matches')).toBeVisible();
  await ingest(request, target, [encodedPowerShell(host), encodedPowerShell(host), encodedPowerShell(host)]);
  await panel
    .getByRole('link', { name: new RegExp(host) })
    .first()
    .click();
  const beside = page.getByRole('complementary', { name: 'Suppression' });
  await expect(beside.getByRole('heading', { name: 'Hidden: 3' })).toBeVisible();
  const list = page.getByRole('grid', { name: 'Suppressions' });
  const line = list.getByRole('row').filter({ hasText: host });
  await expect(line).toContainText('Active');
  await expect(line).toContainText('The image of this machine is built so.');
  await expect(line).toContainText('3');
  await expect(beside.getByRole('region', { name: 'History' })).toContainText('Suppression made');
  await expectAccessible(page, 'suppressions');
  await page.emulateMedia({ colorScheme: 'dark' });
  await expectAccessible(page, 'suppressions in the dark');
  await page.emulateMedia({ colorScheme: 'light' });
  await page.goto(`${target.url}/alerts?q=${host}`);
  await row(page, host).click();
  await expect(panel.getByText('2 matches'), 'the open alert is as it was').toBeVisible();

  // Switched off, it hides nothing more.
  await page.goto(`${target.url}/suppressions?q=${host}`);
  await line.click();
  await page.keyboard.press('Enter');
  await beside.getByRole('switch', { name: 'Switched on' }).click();
  await expect(line).toContainText('Off');
  await ingest(request, target, [encodedPowerShell(host)]);
  await page.goto(`${target.url}/alerts?q=${host}`);
  await row(page, host).click();
  await expect(panel.getByText('3 matches')).toBeVisible();
  await expect(covered).toBeHidden();

  // An end that comes by the clock: it is shown as expired, and told.
  await page.goto(`${target.url}/suppressions?q=${host}`);
  await line.click();
  await page.keyboard.press('Enter');
  await beside.getByRole('switch', { name: 'Switched on' }).click();
  await expect(line).toContainText('Active');
  await beside.getByRole('button', { name: 'Edit' }).click();
  const editing = page.getByRole('dialog', { name: 'Edit the suppression' });
  // The field has minutes: the next one is a minute and a quarter away at most, and saved before it comes.
  const soon = new Date(Math.ceil((Date.now() + 15_000) / 60_000) * 60_000);
  const local = new Date(soon.getTime() - soon.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
  await editing.getByLabel('Until').fill(local);
  await editing.getByRole('button', { name: 'Save' }).click();
  await expect(editing).toBeHidden();
  await expect(line).toContainText('Expired', { timeout: 105_000 });
  await expect(beside).toContainText('Suppression expired', { timeout: 30_000 });

  await beside.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await expect(line).toBeHidden();
});

test('the list of suppressions is reached by keys, and says when nothing matches', async ({ page }) => {
  await logIn(page, shared(), '/suppressions?q=nothing-has-this-name');
  await expect(page.getByRole('heading', { name: 'No suppression matches' })).toBeVisible();
  await page.getByRole('button', { name: 'Show all suppressions' }).click();
  await expect(page).toHaveURL(/\/suppressions$/);
  await page.keyboard.press('g');
  await page.keyboard.press('a');
  await expect(page).toHaveURL(/\/alerts/);
  await page.keyboard.press('g');
  await page.keyboard.press('u');
  await expect(page).toHaveURL(/\/suppressions/);
});
