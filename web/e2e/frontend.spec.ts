// The dashboard as it is in a cluster: NGINX serves it, an ingress joins it with the
// backend, and the page's policy lets through what it needs.
import { expect, type Page, test } from '@playwright/test';
import { encodedPowerShell, ingest, logIn, row, type Target, waitLive } from './actions';
import { Nginx, nginxInstalled } from './nginx';
import { Server } from './server';

let server: Server;
let frontend: Nginx;
let ingress: Nginx;
let target: Target;

test.skip(!nginxInstalled && !process.env.CI, 'nginx is not installed');

test.beforeAll(async () => {
  test.setTimeout(120_000);
  server = await Server.start({ args: ['--trust-proxy'] });
  frontend = await Nginx.frontend();
  ingress = await Nginx.ingress(frontend.url, server.url);
  target = { url: ingress.url, password: server.password, token: await server.ingestToken() };
});

test.afterAll(async () => {
  await ingress?.stop();
  await frontend?.stop();
  await server?.stop();
});

/** What the browser's policy refuses from now on, and what a page asks for and does not get. */
function complaints(page: Page): string[] {
  const all: string[] = [];
  page.on('console', (message) => {
    if (/Content Security Policy|MIME type|Failed to load/i.test(message.text())) all.push(message.text());
  });
  page.on('pageerror', (error) => all.push(error.message));
  page.on('response', (response) => {
    if (response.status() >= 400) all.push(`${response.status()} ${response.url()}`);
  });
  return all;
}

test('the dashboard works through NGINX, live, and its policy refuses nothing', async ({ page, request }) => {
  const all = complaints(page);
  await logIn(page, target);
  await waitLive(page);
  await ingest(request, target, [encodedPowerShell('ws-nginx')]);
  await expect(row(page, 'ws-nginx')).toBeVisible();
  await row(page, 'ws-nginx').click();
  await expect(page.getByRole('complementary', { name: 'Alert' })).toBeVisible();
  await page.goto(`${target.url}/events`); // a path that is no file
  await expect(page.getByRole('grid', { name: 'Events' })).toBeVisible();
  await page.goto(`${target.url}/rules/new`); // the editor sets styles
  await expect(page.getByText('Would run').first()).toBeVisible();
  await page.reload();
  await expect(page.getByText('Would run').first()).toBeVisible();
  expect(all).toEqual([]);
});

test('the playground works through NGINX, with its workers', async ({ page }) => {
  await logIn(page, target);
  const all = complaints(page);
  await page.goto(`${target.url}/playground`);
  const execute = page.getByRole('button', { name: /^(Execute|Stop)/ });
  await expect(page.locator('.graphiql-query-editor .view-line').first()).toBeVisible();
  await execute.click();
  await expect(page.locator('.graphiql-response')).toContainText('totalCount');
  await expect.poll(() => page.workers().length, { message: 'the editor has its workers' }).toBeGreaterThan(0);
  expect(all).toEqual([]);
});

test('the browser does refuse what the policy forbids', async ({ page }) => {
  await page.goto(`${target.url}/login`);
  const all = complaints(page);
  await page.evaluate(() => {
    const script = document.createElement('script');
    script.textContent = 'window.planted = true';
    document.head.append(script);
  });
  await expect.poll(() => all.join()).toMatch(/Content Security Policy/);
  expect(await page.evaluate(() => 'planted' in window)).toBe(false);
});
