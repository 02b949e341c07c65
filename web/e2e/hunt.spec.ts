// Hunting: from one event to the others.
import { expect, type Page, test } from '@playwright/test';
import { encodedPowerShell, ingest, logIn, shared } from './actions';

const events = (page: Page) => page.getByRole('grid', { name: 'Events' });

test('from a field of an event to those that have it, and to those that do not', async ({ page, request }) => {
  const target = shared();
  const hosts = ['ws-hunt-1', 'ws-hunt-2'];
  await ingest(request, target, hosts.map(encodedPowerShell));
  await logIn(page, target, '/events?q=host:ws-hunt-*');
  const row = (host: string) => events(page).getByRole('row').filter({ hasText: host });
  await expect(row('ws-hunt-1')).toBeVisible();
  await row('ws-hunt-1').getByRole('gridcell').first().click();
  await page.getByRole('button', { name: 'Without host ws-hunt-1' }).click();
  await expect(row('ws-hunt-2')).toBeVisible();
  await expect(events(page).getByText('ws-hunt-1', { exact: true })).toHaveCount(0);
  // The event that was open is not among those listed any more, and is not lost.
  const elsewhere = page.getByRole('region', { name: 'The event of the link' });
  await expect(elsewhere).toContainText('ws-hunt-1');
  await elsewhere.getByRole('button', { name: 'Only raw.Computer ws-hunt-1' }).click();
  await expect(page).toHaveURL(/raw\.Computer/);
  await page.goBack();
  await page.goBack();
  await expect(row('ws-hunt-1'), 'two steps back').toBeVisible();
});

test('columns are chosen, and a link shows the same with the event that is open', async ({
  page,
  context,
  request,
}) => {
  const target = shared();
  await ingest(request, target, [encodedPowerShell('ws-hunt-cols')]);
  await logIn(page, target, '/events?q=host:ws-hunt-cols');
  await expect(events(page)).toBeVisible();
  await page.getByRole('button', { name: 'Columns' }).click();
  await page.getByRole('menuitemcheckbox', { name: 'Command' }).click();
  await page.getByRole('menuitemcheckbox', { name: 'Message' }).click();
  await page.keyboard.press('Escape');
  await expect(events(page).getByRole('columnheader', { name: 'Command' })).toBeVisible();
  await expect(events(page).getByRole('columnheader', { name: 'Message' })).toHaveCount(0);
  await expect(events(page).getByRole('row').nth(1)).toContainText('-w hidden -enc');
  await events(page).getByRole('row').nth(1).getByRole('gridcell').first().click();
  await expect(page.getByRole('searchbox', { name: 'Search in the raw record' })).toBeVisible();

  const copy = await context.newPage();
  await copy.goto(page.url());
  await expect(events(copy).getByRole('columnheader', { name: 'Command' })).toBeVisible();
  await expect(copy.getByRole('searchbox', { name: 'Search in the raw record' })).toBeVisible();
  await copy.close();
});

test('the tail stands still while it is paused, and shows what came when it goes on', async ({ page, request }) => {
  const target = shared();
  await ingest(request, target, [encodedPowerShell('ws-tail-0')]);
  await logIn(page, target, '/events?q=host:ws-tail-*');
  const row = (host: string) => events(page).getByRole('row').filter({ hasText: host });
  await expect(row('ws-tail-0')).toBeVisible();
  await page.getByRole('button', { name: 'Pause' }).click();
  await ingest(request, target, [encodedPowerShell('ws-tail-1')]);
  const pill = page.getByRole('button', { name: '1 new', exact: true });
  await expect(pill).toBeVisible();
  // It stands beside the name of a column, not over one.
  const name = events(page).getByRole('columnheader', { name: 'Message' }).getByText('Message', { exact: true });
  const [beside, own] = [await name.boundingBox(), await pill.boundingBox()];
  expect(own?.x).toBeGreaterThan((beside?.x ?? Number.NaN) + (beside?.width ?? 0));
  await expect(row('ws-tail-1')).toHaveCount(0);
  await page.getByRole('button', { name: 'Go live', exact: true }).click();
  await expect(row('ws-tail-1')).toHaveCount(1);
});
