// What a page shows stands in its address: back and forward walk through it, and
// a link shows somebody else the same.
import { expect, type Page, test } from '@playwright/test';
import { encodedPowerShell, ingest, logIn, shared } from './actions';

/** The same address in a window of its own shows the same. */
async function expectSame(page: Page, check: (page: Page) => Promise<void>): Promise<void> {
  await check(page);
  const other = await page.context().newPage();
  await other.goto(page.url());
  await check(other);
  await other.close();
}

test('back and forward walk through tabs, filters and panels', async ({ page, request }) => {
  test.setTimeout(240_000);
  const target = shared();
  await ingest(request, target, [encodedPowerShell('ws-address')]);
  await logIn(page, target, '/overview');

  await page.getByLabel('Time', { exact: true }).selectOption('7d');
  await expect(page).toHaveURL(/since=7d/);
  await page.getByLabel('Time', { exact: true }).selectOption('1h');
  await page.goBack();
  await expectSame(page, (p) => expect(p.getByLabel('Time', { exact: true })).toHaveValue('7d'));
  await page.goForward();
  await expect(page.getByLabel('Time', { exact: true })).toHaveValue('1h');

  await page.goto(`${target.url}/assets`);
  await page.getByLabel('Kind').selectOption('host');
  await page.getByLabel('Order').selectOption('name');
  const assets = page.getByRole('grid', { name: 'Assets' });
  await assets.getByRole('row').filter({ hasText: 'ws-address' }).click();
  const panel = (p: Page) => p.getByRole('complementary', { name: 'Asset' });
  await expectSame(page, (p) => expect(panel(p)).toContainText('ws-address'));
  await page.goBack();
  await expect(panel(page)).toBeHidden();
  await expectSame(page, (p) => expect(p.getByLabel('Order')).toHaveValue('name'));
  await page.goBack();
  await expect(page.getByLabel('Order')).toHaveValue('');
  await expect(page.getByLabel('Kind')).toHaveValue('host');

  await page.goto(`${target.url}/attack`);
  await page.getByLabel('Colour by').selectOption('coverage');
  await page.getByRole('button', { name: /T1059/ }).first().click();
  const technique = (p: Page) => p.getByRole('complementary', { name: 'Technique' });
  await expectSame(page, (p) => expect(technique(p)).toContainText('T1059'));
  await page.goBack();
  await expect(technique(page)).toBeHidden();
  await expect(page.getByLabel('Colour by')).toHaveValue('coverage');

  await page.goto(`${target.url}/integrations`);
  await page.getByRole('tab', { name: 'Shippers' }).click();
  await page.getByLabel('Shipper', { exact: true }).selectOption('vector');
  await expectSame(page, (p) => expect(p.getByText('vector.yaml')).toBeVisible());
  await page.goBack();
  await expect(page.getByText('In a shell')).toBeVisible();
  await page.goBack();
  await expect(page.getByRole('tab', { name: 'API tokens' })).toHaveAttribute('aria-selected', 'true');

  await page.goto(`${target.url}/settings`);
  await page.getByRole('tab', { name: 'Server' }).click();
  await expectSame(page, (p) => expect(p.getByLabel('A login lasts', { exact: true })).toHaveValue('7'));
  await page.goBack();
  await expect(page.getByRole('tab', { name: 'Account' })).toHaveAttribute('aria-selected', 'true');

  await page.goto(`${target.url}/audit`);
  await page.getByLabel('Kind').selectOption('Session');
  const entry = (p: Page) => p.getByRole('listitem').filter({ has: p.locator('details[open]') });
  await expect(page).toHaveURL(/Session/);
  await expect(page.locator('summary').first()).toContainText('Logged');
  await page.locator('summary').first().click();
  await expectSame(page, (p) => expect(entry(p)).toContainText('All that Administrator did'));
  await page.goBack();
  await expect(entry(page)).toHaveCount(0);
  await expect(page.getByLabel('Kind')).toHaveValue('Session');
  await page.goBack();
  await expect(page.getByLabel('Kind')).toHaveValue('');
});

test('typing makes one step of the history, not one for each letter', async ({ page }) => {
  const target = shared();
  await logIn(page, target, '/overview');
  await page.getByRole('link', { name: 'Assets' }).click();
  await page.getByLabel('Search names').pressSequentially('nothing-has-this', { delay: 60 });
  await expect(page).toHaveURL(/q=nothing-has-this/);
  await page.goBack();
  await expect(page).toHaveURL(/\/assets$/);
  await expect(page.getByLabel('Search names')).toHaveValue('');
  await page.goBack();
  await expect(page).toHaveURL(/\/overview$/);
});

test('a change says before and after, field by field', async ({ page, request }) => {
  const target = shared();
  await ingest(request, target, [encodedPowerShell('ws-audited')]);
  await logIn(page, target, '/assets?q=ws-audited');
  await page.getByRole('grid', { name: 'Assets' }).getByRole('row').filter({ hasText: 'ws-audited' }).click();
  await page.getByLabel('Owner').fill('Blue team');
  await page.getByLabel('Silent after', { exact: true }).fill('15');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('The asset is saved.')).toBeVisible();
  await page.goto(`${target.url}/audit?action=asset.update`);
  await page.locator('summary').first().click();
  const row = (field: string) => page.getByRole('table').getByRole('row').filter({ hasText: field });
  await expect(row('Owner')).toContainText(/Owner\s*none\s*Blue team/);
  await expect(row('Silent after')).toContainText(/none\s*15 minutes/);
});
