import { expect, test } from '@playwright/test';
import { encodedPowerShell, encodedPowerShellTitle, ingest, logIn, row, shared, waitLive } from './actions';

test('an analyst sees an alert arrive, finds out why, closes it, and a colleague sees that', async ({
  page,
  browser,
  request,
}) => {
  const target = shared();
  const host = 'ws-triage';
  const colleagues = await browser.newContext();
  const other = await colleagues.newPage();
  await logIn(page, target);
  await logIn(other, target, '/alerts?status=all');
  await waitLive(page);
  await waitLive(other);

  await ingest(request, target, [encodedPowerShell(host)]);
  await expect(row(page, host)).toContainText(encodedPowerShellTitle);
  await expect(row(page, host)).toContainText('High');
  await expect(row(other, host)).toContainText('New');

  await row(page, host).click();
  const panel = page.getByRole('complementary', { name: 'Alert' });
  await expect(panel.getByRole('heading', { name: encodedPowerShellTitle })).toBeVisible();
  await expect(page).toHaveURL(/alert=/);
  const why = panel.getByRole('region', { name: 'Why it fired' });
  await expect(why.locator('mark').filter({ hasText: '-enc' })).toBeVisible();
  await expect(why).toContainText('CommandLine');
  await panel.getByRole('searchbox', { name: 'Search in the raw record' }).fill('explorer');
  await expect(panel.getByText('1 found')).toBeVisible();

  await panel.getByRole('button', { name: 'Close', exact: false }).filter({ hasText: 'Close' }).last().click();
  const dialog = page.getByRole('dialog', { name: 'Close the alert' });
  await dialog.getByLabel('True positive').check();
  await dialog.getByLabel('Why?').fill('Ana confirmed: not hers. Host isolated.');
  await dialog.getByRole('button', { name: 'Close the alert' }).click();
  await expect(panel.getByText('Ana confirmed: not hers. Host isolated.')).toBeVisible();
  await expect(row(other, host)).toContainText('Closed');

  await panel.getByRole('tab', { name: 'History' }).click();
  await expect(panel.getByRole('tabpanel')).toContainText('Closed');
  await expect(panel.getByRole('tabpanel')).toContainText('Administrator');
  await expect(panel.getByRole('tabpanel')).toContainText('True positive');
  await page.keyboard.press('Escape');
  await expect(panel).toBeHidden();
  await expect(row(page, host), 'it is no longer open').toBeHidden();
  await colleagues.close();
});

test('by keyboard alone: move, open, acknowledge, comment, close', async ({ page, request }) => {
  const target = shared();
  const host = 'ws-keys';
  await ingest(request, target, [encodedPowerShell(host)]);
  await logIn(page, target, `/alerts?q=${host}`);
  await expect(row(page, host)).toBeVisible();
  await waitLive(page);
  await page.keyboard.press('j');
  await expect(row(page, host)).toHaveAttribute('aria-selected', 'true');
  await page.keyboard.press('Enter');
  const panel = page.getByRole('complementary', { name: 'Alert' });
  await expect(panel.getByText('Assigned to nobody')).toBeVisible();
  await page.keyboard.press('a');
  await expect(panel.getByText('Assigned to Administrator')).toBeVisible();
  await expect(row(page, host)).toContainText('Acknowledged');

  await panel.getByRole('tab', { name: 'Comments' }).click();
  await panel.getByLabel('Comment', { exact: true }).fill('<b>Looking</b> at it');
  await page.keyboard.press('Control+Enter');
  await expect(panel.getByRole('paragraph').filter({ hasText: '<b>Looking</b> at it' })).toBeVisible();

  await page.keyboard.press('Escape');
  await panel.getByRole('tab', { name: 'Comments' }).focus();
  await page.keyboard.press('c');
  const dialog = page.getByRole('dialog', { name: 'Close the alert' });
  await dialog.getByLabel('Benign').check();
  await dialog.getByLabel('Why?').fill('Deployment script');
  await page.keyboard.press('Control+Enter');
  await expect(dialog).toBeHidden();
  await page.goto(`${target.url}/alerts?status=closed&q=${host}`);
  await expect(row(page, host)).toContainText('Closed');
});

test('a change that came too late is refused, and says who was faster', async ({ page, browser, request }) => {
  const target = shared();
  const host = 'ws-conflict';
  await ingest(request, target, [encodedPowerShell(host)]);
  await logIn(page, target, `/alerts?q=${host}`);
  await row(page, host).click();
  const panel = page.getByRole('complementary', { name: 'Alert' });
  await expect(panel.getByRole('heading', { name: encodedPowerShellTitle })).toBeVisible();
  await page.keyboard.press('c');
  const dialog = page.getByRole('dialog', { name: 'Close the alert' });
  await dialog.getByLabel('Benign').check();
  await dialog.getByLabel('Why?').fill('Known script');

  const colleagues = await browser.newContext();
  const other = await colleagues.newPage();
  await logIn(other, target, `/alerts?q=${host}`);
  await expect(row(other, host)).toBeVisible();
  await other.keyboard.press('j');
  await other.keyboard.press('a');
  await expect(row(other, host)).toContainText('Acknowledged');

  await dialog.getByRole('button', { name: 'Close the alert' }).click();
  await expect(page.getByText('Administrator was faster: acknowledged.')).toBeVisible();
  await expect(row(page, host)).toContainText('Acknowledged');
  await colleagues.close();
});
