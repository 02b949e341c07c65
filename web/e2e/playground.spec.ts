import { expect, test } from '@playwright/test';
import { encodedPowerShell, ingest, logIn, shared } from './actions';

test('the playground runs a query and a subscription with the own token', async ({ page, request }) => {
  const target = shared();
  const foreign: string[] = [];
  page.on('request', (r) => {
    if (!r.url().startsWith(target.url) && !/^(data|blob):/.test(r.url())) foreign.push(r.url());
  });
  await logIn(page, target);
  await page.getByRole('link', { name: 'Playground' }).click();
  await expect(page).toHaveURL(/\/playground$/);
  const result = page.locator('.graphiql-response');
  const execute = page.getByRole('button', { name: /^(Execute|Stop)/ });
  await expect(execute).toBeVisible();
  await expect(page.locator('.graphiql-query-editor .view-line').first()).toBeVisible();
  await execute.click();
  await expect(result).toContainText('totalCount');

  await page.getByRole('tab', { name: 'LiveAlerts' }).click();
  await execute.click();
  await expect(result).toContainText('cursor');
  await ingest(request, target, [encodedPowerShell('ws-playground')]);
  await expect(result).toContainText('ENTERED');
  await execute.click();

  await page.getByRole('link', { name: 'Security Monitor' }).click();
  await expect(page).toHaveURL(/\/alerts/);
  expect(foreign, 'nothing is asked of anybody else').toEqual([]);
});

test('without a session the playground leads to the login and back', async ({ page }) => {
  const target = shared();
  await logIn(page, target, '/alerts');
  await page.evaluate(() => localStorage.removeItem('secmon.session'));
  await page.goto(`${target.url}/playground`);
  await expect(page).toHaveURL(/\/login\?to=/);
  await page.getByLabel('Name').fill('admin');
  await page.getByLabel('Password').fill(target.password);
  await page.getByRole('button', { name: 'Log in' }).click();
  await expect(page).toHaveURL(/\/playground$/);
});
