import { expect, test } from '@playwright/test';
import { encodedPowerShell, ingest, logIn, shared } from './actions';
import { Server } from './server';

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

  await expect(page.getByRole('status', { name: 'Cost' })).toContainText(/The last one cost \d+ points/);

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

test('an example is opened, run, kept for others, and taken elsewhere', async ({ page, request }) => {
  const target = shared();
  await logIn(page, target);
  await page.goto(`${target.url}/playground`);
  const result = page.locator('.graphiql-response');
  const execute = page.getByRole('button', { name: /^(Execute|Stop)/ });

  await page.getByRole('button', { name: 'Show Examples' }).click();
  await page.getByRole('button', { name: /What a query line means/ }).click();
  await expect(page.getByRole('status', { name: 'Cost' })).toContainText('Costs 2 points');
  await execute.click();
  await expect(result).toContainText('startsWith');
  await expect(page.getByRole('status', { name: 'Cost' })).toContainText('The last one cost 2 points');

  await page.getByRole('button', { name: 'Show Saved' }).click();
  const panel = page.getByRole('region', { name: 'Saved operations' });
  await panel.getByLabel('Name').fill('What it means');
  await panel.getByLabel('Save as').selectOption('TILE');
  await panel.getByRole('button', { name: 'Save', exact: true }).click();
  await panel.getByRole('button', { name: /^What it means/ }).click();
  await panel.getByRole('button', { name: 'Take away What it means' }).click();
  await expect(panel).toContainText('Nothing is saved yet');

  await page.getByRole('button', { name: 'Show Use elsewhere' }).click();
  const use = page.getByRole('region', { name: 'Use elsewhere' });
  await expect(use).toContainText('queryLine');
  await use.getByRole('button', { name: /Make a token/ }).click();
  const secret = (await use.locator('code').first().textContent())?.replace('export SECMON_TOKEN=', '') ?? '';
  expect(secret).toMatch(/^smt_/);
  const answer = await request.post(`${target.url}/api/graphql`, {
    headers: { authorization: `Bearer ${secret}` },
    data: { query: '{ alerts(first: 1) { totalCount } }' },
  });
  expect((await answer.json()).data.alerts).toBeTruthy();
  expect(await page.evaluate(() => JSON.stringify({ ...localStorage }))).not.toContain(secret);
});

test('where the playground is not offered, it says so', async ({ page }) => {
  const server = await Server.start({ args: ['--playground-for=ADMIN'] });
  try {
    const call = (bearer: string, query: string) =>
      fetch(`${server.url}/api/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...(bearer && { authorization: `Bearer ${bearer}` }) },
        body: JSON.stringify({ query }),
      }).then((r) => r.json());
    const { data } = await call(
      '',
      `mutation { sessionLogin(input: {name: "admin", password: "${server.password}"}) { accessToken } }`,
    );
    await call(
      data.sessionLogin.accessToken,
      'mutation { userCreate(input: {name: "vic", password: "a viewer password", role: VIEWER}) { errors { code } } }',
    );
    await page.goto(`${server.url}/login?to=/playground`);
    await page.getByLabel('Name').fill('vic');
    await page.getByLabel('Password').fill('a viewer password');
    await page.getByRole('button', { name: 'Log in' }).click();
    await expect(page.getByRole('heading')).toContainText('not offered to your role');
  } finally {
    await server.stop();
  }
});

test.describe('on a phone', () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, reducedMotion: 'reduce' } as object);

  test('operation, answer and what the sidebar opens stand in one column', async ({ page }) => {
    await logIn(page, shared());
    await page.goto(`${shared().url}/playground`);
    const editor = page.locator('.graphiql-query-editor');
    const answer = page.locator('.graphiql-response');
    await expect(editor.locator('.view-line').first()).toBeVisible();
    const wide = async (what: string) => {
      expect(await page.evaluate(() => document.documentElement.scrollWidth), what).toBeLessThanOrEqual(390);
      for (const part of [editor, answer]) expect((await part.boundingBox())?.width, what).toBeGreaterThan(320);
    };
    await wide('at first');
    const [above, below] = [await editor.boundingBox(), await answer.boundingBox()];
    expect(below?.y, 'the answer stands below').toBeGreaterThanOrEqual((above?.y ?? 0) + (above?.height ?? 0));
    await page.getByRole('button', { name: /^Execute/ }).tap();
    await expect(answer).toContainText('totalCount');
    await page.getByRole('button', { name: 'Show Examples' }).tap();
    await expect(page.getByRole('button', { name: /What is common/ })).toBeVisible();
    await wide('with the examples open');
    await page.getByRole('button', { name: /What is common/ }).tap();
    await page.getByRole('button', { name: /^Execute/ }).tap();
    await expect(answer).toContainText('groups');
    await page.getByRole('link', { name: 'Security Monitor' }).tap();
    await expect(page).toHaveURL(/\/alerts/);
  });
});
