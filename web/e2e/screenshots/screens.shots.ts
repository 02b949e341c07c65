// Needs a built dashboard and binary; starts its own server with the demo.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { logIn, type Target, waitLive } from '../actions';
import { Server } from '../server';

const folder = join(import.meta.dirname, '../../../docs/screenshots');
/** What the demo plays in the meantime. */
const settle = 25_000;

let server: Server;
let target: Target;

test.beforeAll(async () => {
  await mkdir(folder, { recursive: true });
  server = await Server.start({ demo: true });
  target = { url: server.url, password: server.password, token: '' };
  await new Promise((done) => setTimeout(done, settle));
});

test.afterAll(() => server.stop());

for (const theme of ['dark', 'light'] as const) {
  test(`every screen, ${theme}`, async ({ browser }) => {
    const context = await browser.newContext({
      colorScheme: theme,
      viewport: { width: 1440, height: 900 },
      reducedMotion: 'reduce',
    });
    const page = await context.newPage();
    const shoot = async (name: string) => {
      await page.waitForTimeout(400);
      await page.screenshot({ path: join(folder, `${name}-${theme}.png`) });
    };
    await page.goto(`${target.url}/login`);
    await expect(page.getByRole('button', { name: 'Log in' })).toBeVisible();
    await shoot('login');
    await logIn(page, target);
    await waitLive(page);
    const alerts = page.getByRole('grid', { name: 'Alerts' });
    await expect(alerts.getByRole('row').nth(3)).toBeVisible();
    await shoot('alerts');
    await alerts.getByText('PowerShell with an Encoded Command').first().click();
    const panel = page.getByRole('complementary', { name: 'Alert' });
    await expect(panel.getByRole('region', { name: 'Raw record' })).toBeVisible();
    await shoot('alert');
    if (await panel.getByRole('button', { name: 'Acknowledge' }).isVisible()) await page.keyboard.press('a');
    await expect(panel.getByText('Assigned to Administrator')).toBeVisible();
    for (const tab of ['Evidence', 'Rule', 'History']) {
      await panel.getByRole('tab', { name: tab }).click();
      await shoot(`alert-${tab.toLowerCase()}`);
    }
    await page.keyboard.press('c');
    await expect(page.getByRole('dialog')).toBeVisible();
    await shoot('alert-close');
    await page.keyboard.press('Escape');
    await page.goto(`${target.url}/events`);
    await expect(page.getByRole('grid', { name: 'Events' }).getByRole('row').nth(3)).toBeVisible();
    await shoot('events');
    await page.getByRole('grid', { name: 'Events' }).getByRole('row').nth(3).click();
    await expect(page.getByRole('searchbox', { name: 'Search in the raw record' })).toBeVisible();
    await shoot('event');
    await page.goto(`${target.url}/rules`);
    const rules = page.getByRole('grid', { name: 'Rules' });
    await expect(rules.getByRole('row').nth(3)).toBeVisible();
    await shoot('rules');
    await rules.getByRole('row').nth(3).click();
    await expect(page.getByRole('region', { name: 'Source of the rule' })).toBeVisible();
    await shoot('rule');
    await page.goto(`${target.url}/playground`);
    await expect(page.locator('.graphiql-query-editor .view-line').first()).toBeVisible();
    await page.getByRole('button', { name: 'Show Examples' }).click();
    await page.getByRole('button', { name: /What is common/ }).click();
    await page.getByRole('button', { name: /^Execute/ }).click();
    await expect(page.locator('.graphiql-response')).toContainText('groups');
    await shoot('playground');
    await context.close();
  });
}
