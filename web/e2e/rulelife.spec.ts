// The life of a rule, from its first draft to an older version in force again.
import { expect, test } from '@playwright/test';
import { encodedPowerShell, ingest, logIn, row, shared } from './actions';

const rule = `title: Life of a Rule
id: 8f2b1d7c-53a1-4a52-9c1b-7a6e0d5b4c11
status: test
level: high
logsource:
    category: process_creation
    product: windows
detection:
    selection:
        CommandLine|contains: life-of-a-rule
    condition: selection
`;
const title = 'title:%22Life of a Rule%22';

test('a rule is watched live, backtested, enabled, raises an alert, and is rolled back', async ({ page, request }) => {
  test.setTimeout(180_000);
  const target = shared();
  const event = (host: string) => ({ ...encodedPowerShell(host), CommandLine: 'whoami life-of-a-rule' });
  await ingest(request, target, [event('ws-life-1'), event('ws-life-2'), encodedPowerShell('ws-life-3')]);
  await logIn(page, target, '/rules/new');
  await page.getByRole('textbox', { name: 'Sigma rule' }).fill(rule);
  await expect(page.getByText(/Would run on windows/)).toBeVisible();

  await page.getByRole('tab', { name: 'Live' }).click();
  await page.getByRole('switch', { name: 'Live' }).click();
  await expect(page.getByText('Waiting for events.')).toBeVisible();
  await expect(async () => {
    await ingest(request, target, [event('ws-life-4')]);
    await expect(page.getByRole('list', { name: 'Live matches' })).toContainText('ws-life-4', { timeout: 2_000 });
  }).toPass({ timeout: 30_000 });

  await page.getByRole('tab', { name: 'Backtest' }).click();
  await page.getByLabel('Events of').selectOption('the last day');
  await page.getByRole('button', { name: 'Backtest' }).click();
  const found = page.getByRole('region', { name: 'Backtest' });
  await expect(found).toContainText('Done', { timeout: 60_000 });
  await expect(found).toContainText(/It fires on \d+ of/);
  await expect(found).toContainText('ws-life-1');
  await expect(found).not.toContainText('ws-life-3');

  await page.getByRole('button', { name: 'Store rule' }).click();
  await page.goto(`${target.url}/rules?stage=draft&q=${title}`);
  const line = page.getByRole('grid', { name: 'Rules' }).getByRole('row').filter({ hasText: 'Life of a Rule' });
  await expect(line).toContainText('Draft');
  await page.goto(`${target.url}/rules?q=${title}`);
  await page.getByRole('switch', { name: 'Enable Life of a Rule' }).click();
  await expect(line).toContainText('Active', { timeout: 30_000 });
  const alerted = async (host: string, level: string) => {
    await ingest(request, target, [event(host)]);
    await page.goto(`${target.url}/alerts?q=${title} host:${host}`);
    await expect(row(page, host)).toContainText(level, { timeout: 2_000 });
  };
  await expect(() => alerted('ws-life-5', 'High')).toPass({ timeout: 30_000 });

  await page.goto(`${target.url}/rules?q=${title}`);
  await line.click();
  await page.getByRole('link', { name: 'Edit and test' }).click();
  await page.getByRole('textbox', { name: 'Sigma rule' }).fill(rule.replace('level: high', 'level: low'));
  await page.getByRole('button', { name: 'Store as a new version' }).click();
  await expect(page.getByText('version 2', { exact: true })).toBeVisible();
  await page.getByRole('tab', { name: /Versions/ }).click();
  await expect(page.getByRole('list', { name: 'Versions' })).toContainText('by admin');
  await page.getByRole('button', { name: 'Restore version 1', exact: true }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Restore version 1' }).click();
  await expect(page.getByText('version 3', { exact: true })).toBeVisible();
  await expect(() => alerted(`ws-life-${Date.now()}`, 'High')).toPass({ timeout: 30_000 });
});
