import { expect, test } from '@playwright/test';
import { logIn, shared } from './actions';

test('a wrong password is refused with a reason', async ({ page }) => {
  const { url } = shared();
  await page.goto(url);
  await page.getByLabel('Name').fill('nobody-here');
  await page.getByLabel('Password').fill('not the password');
  await page.getByRole('button', { name: 'Log in' }).click();
  await expect(page.getByRole('alert')).toContainText('The name or the password is wrong');
  await expect(page).toHaveURL(/\/login/);
});

test('after the login one is where the link led', async ({ page }) => {
  const target = shared();
  await logIn(page, target, '/rules?level=high');
  await expect(page).toHaveURL(/\/rules\?level=high$/);
  await expect(page.getByRole('grid', { name: 'Rules' })).toContainText('PowerShell with an Encoded Command');
});

test('logging out in one tab ends the others too', async ({ context }) => {
  const target = shared();
  const page = await context.newPage();
  await logIn(page, target);
  const second = await context.newPage();
  await second.goto(`${target.url}/events`);
  await expect(second.getByRole('heading', { name: 'Events' })).toBeAttached();
  await page.getByRole('button', { name: 'Administrator' }).click();
  await page.getByRole('menuitem', { name: 'Log out' }).click();
  await expect(page).toHaveURL(/\/login/);
  await expect(second).toHaveURL(/\/login\?to=\/events/);
});

test('an access token that is no longer good is renewed without a word', async ({ page }) => {
  const target = shared();
  await logIn(page, target);
  await page.evaluate(() => {
    const kept = JSON.parse(localStorage.getItem('secmon.session') ?? '{}');
    localStorage.setItem('secmon.session', JSON.stringify({ ...kept, accessToken: `${kept.accessToken}x` }));
  });
  await page.goto(`${target.url}/rules`);
  await expect(page.getByRole('grid', { name: 'Rules' })).toBeVisible();
  await expect(page.getByRole('status', { name: 'Connection: Live' })).toBeVisible();
});
