// An old day goes to the archive since an administrator shortens retention, is deleted,
// and comes back from the screen.
import { mkdtemp, readdir, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { addPerson, expectAccessible, logIn, type Target } from './actions';
import { Server } from './server';

test('an administrator shortens retention, and brings an archived day back', async ({ page, request }) => {
  test.setTimeout(300_000);
  const folder = await mkdtemp(join(tmpdir(), 'secmon-archive-'));
  const server = await Server.start({
    past: ['12:web-old-1,web-old-2', '3:web-young'],
    args: [`--archive=${folder}/`],
  });
  try {
    const target: Target = { url: server.url, password: server.password, token: '' };
    await logIn(page, target, '/settings?section=retention');
    const days = page.getByRole('region', { name: 'Days in the database', exact: true }).getByRole('table');
    await expect(days.getByRole('row').nth(2)).toBeVisible();
    await expect(page.getByText(folder, { exact: true })).toBeVisible();
    await expect(page.getByText('No day has ended yet.', { exact: true })).toBeVisible();

    // What a shorter time does is said before it is saved, and asked once more.
    await page.getByRole('button', { name: 'Change', exact: true }).click();
    const effect = page.getByRole('region', { name: 'What it does', exact: true });
    await page.getByLabel('Events are kept for', { exact: true }).fill('400');
    await expect(effect).toContainText('longer, 400 days instead of 90 days');
    await page.getByLabel('Events are kept for', { exact: true }).fill('7');
    await expect(effect).toContainText('shorter, 7 days instead of 90 days');
    await expect(effect).toContainText(/Within six hours .* goes as a whole/);
    await page.getByRole('button', { name: 'Add a rule for a source', exact: true }).click();
    await expect(effect).toContainText('Say at least one of product');
    await page.getByLabel('Format', { exact: true }).fill('vpcflow');
    await page.getByLabel('Kept for', { exact: true }).fill('400');
    await expect(effect).toContainText('format vpcflow: longer, 400 days instead of 90 days');
    await expectAccessible(page, 'another retention');
    await page.getByRole('button', { name: 'Remove rule 1', exact: true }).click();
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    const sure = page.getByRole('dialog', { name: 'Keep events for less long?', exact: true });
    await expect(sure).toContainText('written to the archive and verified first');
    await expectAccessible(page, 'the question before less is kept');
    await sure.getByRole('button', { name: 'Archive and delete', exact: true }).click();
    await expect(sure).toBeHidden();
    await expect(
      page.getByRole('region', { name: 'Retention by source', exact: true }).getByRole('row').last(),
    ).toContainText('7 days');
    await expect(days.getByRole('row').nth(1)).toContainText('Within six hours');

    // A server looks for what has ended when it starts.
    await server.pause();
    await server.resume();
    await page.reload();
    const archived = page.getByRole('region', { name: 'Archived days', exact: true }).getByRole('table');
    await expect(archived.getByRole('row').nth(1)).toContainText('Archived', { timeout: 60_000 });
    await expect(archived.getByRole('row')).toHaveCount(2);
    await page.goto(`${target.url}/events?q=host:web-old-2&since=30d`);
    await expect(page.getByText(/No event matches/)).toBeVisible();

    // One of its events is looked for, comes back, and is found.
    await page.goto(`${target.url}/settings?section=retention`);
    await archived.getByRole('button', { name: /^Restore / }).click();
    const dialog = page.getByRole('dialog', { name: 'Restore archived events', exact: true });
    await dialog.getByLabel('Only events that match', { exact: true }).fill('host:web-old-2');
    await expectAccessible(page, 'a restore');
    await dialog.getByRole('button', { name: 'Restore', exact: true }).click();
    await expect(dialog).toBeHidden();
    await expect(page.getByText('Restore of archived events done', { exact: true })).toBeVisible({ timeout: 60_000 });
    const restored = page
      .getByRole('region', { name: 'Restored', exact: true })
      .getByRole('table')
      .getByRole('row')
      .nth(1);
    await expect(restored).toContainText('Back');
    await expect(restored).toContainText('host:web-old-2');
    await expectAccessible(page, 'retention and archive');
    await page.emulateMedia({ colorScheme: 'dark' });
    await expectAccessible(page, 'retention and archive in the dark');
    await page.emulateMedia({ colorScheme: 'light' });
    await restored.getByRole('link', { name: /^Events of / }).click();
    const events = page.getByRole('grid', { name: 'Events' });
    await expect(events.getByRole('row').filter({ hasText: 'web-old-2' })).toBeVisible();
    await expect(events.getByRole('row').filter({ hasText: 'web-old-1' })).toHaveCount(0);

    // An object that is cut short brings nothing back, and the screen says what to do.
    const objects = (await readdir(folder)).filter((name) => name.endsWith('.ndjson.zst'));
    expect(objects).toHaveLength(1);
    for (const name of objects) await truncate(join(folder, name), 10);
    await page.goto(`${target.url}/settings?section=retention`);
    await archived.getByRole('button', { name: /^Restore / }).click();
    await dialog.getByRole('button', { name: 'Restore', exact: true }).click();
    await expect(restored).toContainText('Failed', { timeout: 60_000 });
    await expect(restored).toContainText('another copy of the archive');

    // It is for administrators alone.
    const password = 'a long one for vic 2026';
    await addPerson(request, target, { name: 'vic', displayName: 'Vic', password, role: 'ANALYST' });
    const other = await page.context().browser()?.newContext();
    const theirs = await other?.newPage();
    if (!theirs) throw new Error('no second browser');
    await logIn(theirs, { ...target, name: 'vic', password }, '/settings?section=retention');
    await expect(theirs.getByRole('tab', { name: 'Account', exact: true })).toHaveAttribute('aria-selected', 'true');
    await expect(theirs.getByRole('tab', { name: 'Retention', exact: true })).toHaveCount(0);
    await other?.close();
  } finally {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
});

test('without an archive the screen says so, and how to set one up', async ({ page }) => {
  test.setTimeout(180_000);
  const server = await Server.start({ past: ['12:web-old-1'] });
  try {
    await logIn(page, { url: server.url, password: server.password, token: '' }, '/settings?section=retention');
    await expect(page.getByText('events whose time is over are deleted for good')).toBeVisible();
    await expect(page.getByText('secmon serve --archive /var/lib/secmon-archive/', { exact: true })).toBeVisible();
    await expect(page.getByRole('button', { name: 'Restore days', exact: true })).toHaveCount(0);
    await page.getByRole('button', { name: 'Change', exact: true }).click();
    await page.getByLabel('Events are kept for', { exact: true }).fill('7');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    const sure = page.getByRole('dialog', { name: 'Keep events for less long?', exact: true });
    await expect(sure).toContainText('deleted for good');
    await expectAccessible(page, 'the question without an archive');
    await sure.getByRole('button', { name: 'Cancel', exact: true }).click();
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    await expect(
      page.getByRole('region', { name: 'Retention by source', exact: true }).getByRole('row').last(),
    ).toContainText('90 days');
  } finally {
    await server.stop();
  }
});
