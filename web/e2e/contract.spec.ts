// What the contract offers for what is found during an attack: an alert judged
// otherwise than by its rule, duplicates put together, incidents put together and
// taken apart, files of what matches, and what somebody has kept.
import { expect, test } from '@playwright/test';
import { encodedPowerShell, expectAccessible, ingest, logIn, row, shared, waitLive } from './actions';

test('an alert gets another severity and tags, takes a duplicate in, and lets it go', async ({ page, request }) => {
  const target = shared();
  const hosts = ['ws-merge-1', 'ws-merge-2'];
  await ingest(request, target, hosts.map(encodedPowerShell));
  await logIn(page, target, '/alerts?q=host:ws-merge-*&status=all');
  await waitLive(page);
  await row(page, 'ws-merge-1').click();
  const panel = page.getByRole('complementary', { name: 'Alert' });
  await panel.getByRole('button', { name: 'Severity' }).click();
  await page.getByRole('menuitemradio', { name: 'Critical' }).click();
  await expect(row(page, 'ws-merge-1')).toContainText('Critical');

  const tag = panel.getByLabel('Add a tag');
  await tag.fill('Ransomware');
  await tag.press('Enter');
  const taken = panel.getByRole('button', { name: 'Take off the tag ransomware' });
  await expect(taken).toBeVisible();
  await taken.click();
  await expect(taken).toBeHidden();

  await panel.getByRole('button', { name: 'Merge' }).click();
  const dialog = page.getByRole('dialog', { name: 'Merge the alert' });
  await dialog.getByRole('checkbox', { name: /ws-merge-2/ }).check();
  await expectAccessible(page, 'the dialog that merges alerts');
  await dialog.getByRole('button', { name: 'Take it in' }).click();
  await expect(row(page, 'ws-merge-2')).toContainText('Closed');
  await expect(panel.getByText('2 matches')).toBeVisible();

  await panel.getByRole('tab', { name: 'Related' }).click();
  const merged = panel.getByRole('region', { name: /^Merged into this/ });
  await merged.getByRole('button', { name: /^Detach/ }).click();
  await expect(merged).toBeHidden();
  await expect(row(page, 'ws-merge-2')).toContainText('New');
});

test('selected alerts are tagged and their severity set as a job, or merged', async ({ page, request }) => {
  const target = shared();
  const hosts = ['ws-many-1', 'ws-many-2'];
  await ingest(request, target, hosts.map(encodedPowerShell));
  await logIn(page, target, '/alerts?q=host:ws-many-*&status=all');
  await waitLive(page);
  for (const host of hosts) await row(page, host).getByRole('checkbox').check();
  const bar = page.getByRole('toolbar', { name: 'Change the selected alerts' });
  await bar.getByRole('button', { name: 'Severity' }).click();
  await page.getByRole('menuitem', { name: 'Low' }).click();
  for (const host of hosts) await expect(row(page, host)).toContainText('Low');
  // The rows may have changed before the job is answered, which ends the selection.
  await expect(bar).toBeHidden();

  for (const host of hosts) await row(page, host).getByRole('checkbox').check();
  await bar.getByRole('button', { name: 'Merge' }).click();
  const dialog = page.getByRole('dialog', { name: 'Merge 2 alerts' });
  await dialog.getByRole('radio', { name: /ws-many-2/ }).check();
  await dialog.getByRole('button', { name: 'Merge' }).click();
  await expect(row(page, 'ws-many-1')).toContainText('Closed');
  await expect(bar).toBeHidden();
  await row(page, 'ws-many-1').click();
  await expect(
    page.getByRole('complementary', { name: 'Alert' }).getByText('Merged into', { exact: true }),
  ).toBeVisible();
});

test('some alerts of an incident become one of their own, which is merged back; both lists download', async ({
  page,
  request,
}) => {
  const target = shared();
  const hosts = ['ws-split-1', 'ws-split-2'];
  await ingest(request, target, hosts.map(encodedPowerShell));
  await logIn(page, target, '/alerts?q=host:ws-split-*');
  for (const host of hosts) await row(page, host).getByRole('checkbox').check();
  await page.keyboard.press('e');
  const escalate = page.getByRole('dialog', { name: 'Escalate 2 alerts' });
  await escalate.getByLabel('Title of the incident').fill('Two attacks as one');
  await escalate.getByRole('button', { name: 'Open the incident' }).click();
  await page.getByRole('tab', { name: 'Alerts' }).click();
  await page.getByRole('checkbox', { name: /ws-split-2/ }).check();
  await page.getByRole('button', { name: 'Split off' }).click();
  const split = page.getByRole('dialog', { name: 'Split an alert off' });
  await split.getByLabel('Title of the new incident').fill('The other attack');
  await expectAccessible(page, 'the dialog that splits an incident');
  await split.getByRole('button', { name: 'Open the new incident' }).click();
  await expect(page.getByRole('heading', { name: 'The other attack' })).toBeVisible();

  await page.getByRole('button', { name: 'Merge' }).click();
  const merge = page.getByRole('dialog', { name: 'Merge incidents' });
  await merge.getByLabel('How?').selectOption('go');
  await merge.getByLabel('Search the open incidents').fill('Two attacks');
  await merge.getByRole('radio', { name: /Two attacks as one/ }).check();
  await merge.getByRole('button', { name: 'Merge into it' }).click();
  await expect(page.getByRole('heading', { name: 'Two attacks as one' })).toBeVisible();
  await expect(page.getByRole('tab', { name: /Alerts/ })).toContainText('2');

  for (const [path, form] of [
    ['/incidents', 'CSV'],
    ['/events?q=host:ws-split-*', 'NDJSON'],
  ] as const) {
    await page.goto(target.url + path);
    await page.getByRole('button', { name: 'Export' }).click();
    const download = page.waitForEvent('download');
    await page.getByRole('menuitem', { name: `As ${form}` }).click();
    expect((await download).suggestedFilename()).toMatch(new RegExp(`\\.${form.toLowerCase()}$`));
  }
});

test('events are counted by two fields together, and a kept view is called something else', async ({
  page,
  request,
}) => {
  const target = shared();
  await ingest(request, target, [encodedPowerShell('ws-group-1'), encodedPowerShell('ws-group-1')]);
  await logIn(page, target, '/events?q=host:ws-group-*');
  await page.getByLabel('Group by another field too').selectOption('USER');
  await expect(page).toHaveURL(/group=host(%2C|,)user/);
  const values = page.getByRole('complementary', { name: 'Values' });
  await expectAccessible(page, 'events by two fields');
  await values.getByRole('button', { name: /^ws-group-1/ }).click();
  await expect(page).toHaveURL(/q=.*host.*user/);

  await page.getByRole('button', { name: 'Views' }).click();
  await page.getByRole('menuitem', { name: 'Keep this view…' }).click();
  const keep = page.getByRole('dialog', { name: 'Keep this view' });
  await keep.getByLabel('Name').fill('Grouped');
  await keep.getByRole('button', { name: 'Keep', exact: true }).click();
  await page.getByRole('button', { name: 'Views' }).click();
  await page.getByRole('menuitem', { name: 'Change views…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Saved views' });
  await dialog.getByRole('button', { name: 'Rename Grouped' }).click();
  await dialog.getByLabel('Name of Grouped').fill('Who on which host');
  await dialog.getByRole('button', { name: 'Rename', exact: true }).click();
  await expect(dialog.getByText('Who on which host')).toBeVisible();
  await expectAccessible(page, 'the dialog of saved views');
});

test('the second factor shows a code to scan, and nothing of it leaves the page', async ({ page }) => {
  const target = shared();
  await logIn(page, target, '/settings');
  const refused: string[] = [];
  page.on('console', (message) => {
    if (/Content Security Policy/i.test(message.text())) refused.push(message.text());
  });
  const card = page.getByRole('region', { name: 'Second factor' });
  await card.getByLabel('Password').fill(target.password);
  await card.getByRole('button', { name: 'Set up a second factor' }).click();
  await expect(card.getByRole('img', { name: /^QR code/ })).toBeVisible();
  await expectAccessible(page, 'setting up a second factor');
  expect(refused).toEqual([]);
});
