// What a correlation counted, and what the matrix of ATT&CK says of it.
import { expect, test } from '@playwright/test';
import { encodedPowerShell, expectAccessible, ingest, logIn, row, shared } from './actions';

const documents = `title: Counted in a Story
id: 1d6a4c0e-7f0b-4c52-8f7c-5a3f0b6d9e21
name: counted_in_a_story
status: test
level: low
logsource:
    category: process_creation
    product: windows
detection:
    selection:
        CommandLine|contains: story-of-counting
    condition: selection
---
title: Story of Counting
id: 1d6a4c0e-7f0b-4c52-8f7c-5a3f0b6d9e22
status: test
level: high
tags:
    - attack.initial-access
    - attack.t1195
correlation:
    type: event_count
    rules:
        - counted_in_a_story
    group-by:
        - Computer
    timespan: 10m
    condition:
        gte: 3
`;
const counted = '"Counted in a Story"';
const counting = '"Story of Counting"';

test('a correlation raises an alert that shows what it counted, and the matrix tells of it', async ({
  page,
  request,
}) => {
  test.setTimeout(180_000);
  const target = shared();
  const host = 'ws-counting';
  await logIn(page, target, '/attack?technique=T1195&since=24h');
  const panel = page.getByRole('complementary', { name: 'Technique' });
  await expect(panel).toContainText('0 of 0 rules run · 0 alerts');

  await page.goto(`${target.url}/rules`);
  await page.getByRole('button', { name: 'Import' }).click();
  await page
    .getByLabel(/ZIP archive/)
    .setInputFiles([{ name: 'counting.yml', mimeType: 'text/yaml', buffer: Buffer.from(documents) }]);
  const dialog = page.getByRole('dialog', { name: 'Import rules' });
  await dialog.getByRole('button', { name: 'Import' }).click();
  await expect(dialog).toContainText('2 new');
  await dialog.getByRole('button', { name: 'Done' }).click();
  for (const title of [counted, counting]) {
    await page.goto(`${target.url}/rules?q=title:${encodeURIComponent(title)}`);
    await page.getByRole('switch', { name: `Enable ${title.slice(1, -1)}`, exact: true }).click();
    await expect(page.getByRole('switch', { name: `Disable ${title.slice(1, -1)}`, exact: true })).toBeVisible();
  }
  const line = page.getByRole('grid', { name: 'Rules' }).getByRole('row').filter({ hasText: 'Story of Counting' });
  await expect(line).toContainText('Active', { timeout: 30_000 });

  // One at a time until the third that is counted: a rule is in force a moment after it was enabled.
  const event = { ...encodedPowerShell(host), CommandLine: 'whoami story-of-counting' };
  await expect(async () => {
    await ingest(request, target, [event]);
    await page.goto(`${target.url}/alerts?q=host:${host}`);
    await expect(row(page, host)).toContainText('High', { timeout: 2_000 });
  }).toPass({ timeout: 60_000 });
  await row(page, host).click();
  const alert = page.getByRole('complementary', { name: 'Alert' });
  await alert.getByRole('tab', { name: 'Evidence' }).click();
  const members = alert.getByRole('region', { name: 'Counted by the correlation, earliest first' });
  await expect(members.getByRole('listitem').nth(2)).toContainText('Counted in a Story');
  await expectAccessible(page, 'the members of a correlation');
  await page.goto(`${target.url}/alerts?q=title:${encodeURIComponent(counted)}`);
  await expect(row(page, host), 'what is counted raises no alert').toHaveCount(0);

  await page.goto(`${target.url}/attack?technique=T1195&since=24h`);
  await expect(panel).toContainText('1 of 1 rules run · 1 alert');
  await expect(panel.getByRole('heading', { name: 'Supply Chain Compromise', exact: true })).toBeVisible();
  await expect(panel.getByText('Story of Counting').first()).toBeVisible();
  await expect(
    page.getByRole('grid', { name: 'ATT&CK matrix' }).getByTitle(/^T1195 .*: 1 alert, 1 of 1/),
  ).toBeVisible();
  await expectAccessible(page, 'a technique');
});
