// What people do from one end to the other, on the real program.
import { readFile } from 'node:fs/promises';
import { expect, type Page, test } from '@playwright/test';
import { encodedPowerShell, ingest, logIn, row, shared } from './actions';

const password = 'a password that is long';

test('alerts become an incident with tasks and a report, which is closed', async ({ page, request }) => {
  const target = shared();
  const hosts = ['ws-story-1', 'ws-story-2'];
  await ingest(request, target, hosts.map(encodedPowerShell));
  await logIn(page, target, '/alerts?q=ws-story');
  for (const host of hosts) await row(page, host).getByRole('checkbox').click();
  await expect(page.getByRole('toolbar')).toContainText('2 selected');
  await page.keyboard.press('e');
  await page.getByLabel('Title of the incident').fill('Encoded PowerShell on two hosts');
  await page.getByRole('button', { name: 'Open the incident' }).click();

  await expect(page.getByRole('heading', { name: 'Encoded PowerShell on two hosts' })).toBeVisible();
  await page.getByRole('button', { name: 'Start work' }).click();
  await expect(page.getByText('In progress').first()).toBeVisible();
  await page.getByLabel('New task').fill('Isolate both');
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await page.getByRole('checkbox', { name: 'Isolate both' }).click();
  await expect(page.getByText('Tasks 1 of 1')).toBeVisible();
  await page.getByLabel('Comment').fill('The same script on both.');
  await page.getByRole('button', { name: 'Comment', exact: true }).click();
  await expect(page.getByRole('list', { name: 'Timeline' })).toContainText('The same script on both.');
  const side = page.getByRole('complementary', { name: 'Tasks and entities' });
  await expect(side).toContainText('ws-story-1');

  await page.getByRole('tab', { name: 'Alerts' }).click();
  await expect(page.getByRole('list', { name: 'Alerts of the incident' }).getByRole('listitem')).toHaveCount(2);
  await page.getByRole('tab', { name: 'Report' }).click();
  await expect(page.frameLocator('#report').locator('body')).toContainText('The same script on both.');
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Markdown' }).click();
  const path = await (await download).path();
  expect(await readFile(path, 'utf8')).toContain('ws-story-2');

  await page.getByRole('banner').waitFor();
  await page.getByRole('button', { name: 'Close', exact: true }).click();
  const dialog = page.getByRole('dialog', { name: 'Close the incident' });
  await dialog.getByLabel('True positive').check();
  await dialog.getByLabel('Why?').fill('Both hosts are rebuilt.');
  await dialog.getByRole('button', { name: 'Close the incident' }).click();
  await expect(page.getByText('Both hosts are rebuilt.').first()).toBeVisible();
  await page.goto(`${target.url}/incidents?view=list`);
  await expect(page.getByRole('row').filter({ hasText: 'Encoded PowerShell on two hosts' })).toContainText('Closed');
});

test('many alerts are closed at once, with progress, and that is undone', async ({ page, request }) => {
  const target = shared();
  const hosts = Array.from({ length: 12 }, (_, i) => `ws-bulk-${i}`);
  await ingest(request, target, hosts.map(encodedPowerShell));
  await logIn(page, target, '/alerts?q=ws-bulk');
  await expect(row(page, 'ws-bulk-11')).toBeVisible();
  await row(page, 'ws-bulk-3').getByRole('checkbox').click();
  await page.getByRole('button', { name: /Select all 12 that match/ }).click();
  await page.getByRole('toolbar').getByRole('button', { name: 'Close', exact: true }).click();
  const dialog = page.getByRole('dialog', { name: 'Close all 12' });
  await dialog.getByLabel('Benign').check();
  await dialog.getByLabel('Why?').fill('A test of ours.');
  await dialog.getByRole('button', { name: 'Close all 12' }).click();
  await expect(page.getByText('Change of many alerts done')).toBeVisible();
  await expect(page.getByText('12 of 12')).toBeVisible();
  // Rows stand still while somebody points at the list.
  await page.mouse.move(5, 5);
  await expect(page.getByText('No alert matches')).toBeVisible({ timeout: 15_000 });
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(row(page, 'ws-bulk-7')).toContainText('New', { timeout: 15_000 });
});

const rule = (title: string, needle: string) => `title: ${title}
id: 6d1c7c9e-1111-4f0e-9d1a-${needle.padEnd(12, '0').slice(0, 12)}
logsource:
    product: windows
    category: process_creation
detection:
    sel:
        CommandLine|contains: 'story-${needle}'
    condition: sel
level: high
tags:
    - attack.t1033
`;

test('a rule is imported, edited, tested, enabled, and raises an alert', async ({ page, request }) => {
  const target = shared();
  await logIn(page, target, '/rules');
  await page.getByRole('button', { name: 'Import' }).click();
  await page.getByLabel(/ZIP archive/).setInputFiles([
    { name: 'story.yml', mimeType: 'text/yaml', buffer: Buffer.from(rule('Story of a Rule', 'abc123')) },
    { name: 'broken.yml', mimeType: 'text/yaml', buffer: Buffer.from('title: [') },
  ]);
  const dialog = page.getByRole('dialog', { name: 'Import rules' });
  await dialog.getByRole('button', { name: 'Import' }).click();
  await expect(dialog).toContainText('1 new');
  await expect(dialog).toContainText('Not stored: 1');
  await dialog.getByRole('button', { name: 'Done' }).click();

  await page.goto(`${target.url}/rules?q=title:%22Story of a Rule%22`);
  await page.getByRole('grid', { name: 'Rules' }).getByText('Story of a Rule').click();
  await page.getByRole('link', { name: 'Edit and test' }).click();
  const editor = page.getByRole('textbox', { name: 'Sigma rule' });
  await editor.fill(rule('Story of a Rule', 'abc123').replace('|contains', '|contain'));
  await expect(page.getByRole('status').filter({ hasText: 'Line 8' })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Store as a new version' })).toBeDisabled();
  await editor.fill(rule('Story of a Rule', 'abc123').replace('level: high', 'level: critical'));
  const event = { ...encodedPowerShell('ws-rule'), CommandLine: 'whoami story-abc123' };
  await page.getByLabel('Records, as a shipper sends them').fill(JSON.stringify(event));
  await page.getByRole('button', { name: 'Test on these records' }).click();
  await expect(page.getByText('It fires on 1 of 1')).toBeVisible();
  await page.getByRole('button', { name: 'Store as a new version' }).click();
  await expect(page.getByText('version 2', { exact: true })).toBeVisible();
  await page.getByRole('tab', { name: 'Versions' }).click();
  await page.getByRole('button', { name: 'Compare version 1' }).click();
  await expect(page.getByRole('textbox', { name: 'Before' })).toContainText('level: high');
  await expect(page.getByRole('textbox', { name: 'After' })).toContainText('level: critical');
  await expect(page).toHaveURL(/from=1&to=2/);
  await page.getByRole('button', { name: 'Restore version 1' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Restore version 1' }).click();
  await expect(page.getByText('version 3', { exact: true })).toBeVisible();
  await expect(editor).toContainText('level: high');
  await page.getByLabel('Compare with').selectOption('3');
  await expect(page.getByText('They are the same.')).toBeVisible();
  await page.getByRole('button', { name: 'Restore version 2' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Restore version 2' }).click();
  await expect(page.getByText('version 4', { exact: true })).toBeVisible();

  await page.goto(`${target.url}/rules?q=title:%22Story of a Rule%22`);
  await page.getByRole('switch', { name: 'Enable Story of a Rule' }).click();
  await expect(page.getByRole('switch', { name: 'Disable Story of a Rule' })).toBeVisible();
  await expect(async () => {
    await ingest(request, target, [event]);
    await page.goto(`${target.url}/alerts?q=title:%22Story of a Rule%22`);
    await expect(row(page, 'ws-rule')).toContainText('Critical', { timeout: 2_000 });
  }).toPass({ timeout: 20_000 });
});

test('a token is made, its first event sent by the command that is shown, and it is revoked', async ({
  page,
  request,
}) => {
  const target = shared();
  await logIn(page, target, '/integrations');
  await page.getByRole('button', { name: 'New token' }).click();
  await page.getByLabel('Name').fill('story shipper');
  await page.getByRole('button', { name: 'Create token' }).click();
  const dialog = page.getByRole('dialog', { name: 'Token story shipper' });
  const token = (await dialog.locator('pre').first().innerText()).trim();
  const command = await dialog.locator('pre').nth(1).innerText();
  expect(command).toContain(token);
  const body = /-d '(.*)'/s.exec(command)?.[1] ?? '';
  const send = () =>
    request.post(`${target.url}/api/ingest`, {
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/x-ndjson' },
      data: body,
    });
  expect((await send()).status()).toBe(200);
  await dialog.getByRole('button', { name: 'Done' }).click();
  await page.goto(`${target.url}/alerts?q=host:ws-01`);
  await expect(row(page, 'ws-01')).toBeVisible();
  await page.goto(`${target.url}/integrations`);
  await page.getByRole('row').filter({ hasText: 'story shipper' }).getByRole('button', { name: 'Revoke' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke token' }).click();
  await expect(page.getByRole('row').filter({ hasText: 'story shipper' })).toHaveCount(0);
  expect((await send()).status()).toBe(401);
});

async function person(page: Page, url: string, name: string, role: string): Promise<void> {
  await page.goto(`${url}/settings?section=people`);
  await page.getByRole('button', { name: 'New person' }).click();
  const dialog = page.getByRole('dialog', { name: 'New person' });
  await dialog.getByLabel('Login').fill(name);
  await dialog.getByLabel('Role').selectOption(role);
  await dialog.getByLabel('First password').fill(password);
  await dialog.getByRole('button', { name: 'Create' }).click();
  await expect(page.getByRole('table').getByText(name, { exact: true }).first()).toBeVisible();
}

test('each role sees only its own', async ({ page, browser, request }) => {
  const target = shared();
  await ingest(request, target, [encodedPowerShell('ws-roles')]);
  await logIn(page, target, '/alerts');
  await person(page, target.url, 'vera', 'VIEWER');
  await person(page, target.url, 'anna', 'ANALYST');
  for (const [name, works] of [
    ['vera', false],
    ['anna', true],
  ] as const) {
    const context = await browser.newContext();
    const own = await context.newPage();
    await own.goto(`${target.url}/alerts?q=host:ws-roles`);
    await own.getByLabel('Name').fill(name);
    await own.getByLabel('Password').fill(password);
    await own.getByRole('button', { name: 'Log in' }).click();
    await row(own, 'ws-roles').click();
    const panel = own.getByRole('complementary', { name: 'Alert' });
    await expect(panel.getByRole('tab', { name: 'Overview' })).toBeVisible();
    await expect(panel.getByRole('button', { name: 'Escalate' })).toHaveCount(works ? 1 : 0);
    await expect(own.getByRole('link', { name: 'Audit log' })).toHaveCount(0);
    await own.goto(`${target.url}/rules`);
    await expect(own.getByRole('switch').first()).toBeDisabled();
    await expect(own.getByRole('button', { name: 'New rule' })).toHaveCount(0);
    await own.goto(`${target.url}/settings?section=people`);
    await expect(own.getByRole('tab', { name: 'Account' })).toBeVisible();
    await expect(own.getByRole('tab', { name: 'People' })).toHaveCount(0);
    await own.goto(`${target.url}/audit`);
    await expect(own.getByText('The audit log is for administrators')).toBeVisible();
    await context.close();
  }
});
