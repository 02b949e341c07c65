import { expect, test } from '@playwright/test';
import { encodedPowerShell, expectAccessible, ingest, logIn, row, shared } from './actions';

/** Address, and what shows that the page is there. */
const pages = [
  ['/overview', 'Rules that fire most'],
  ['/incidents', 'New incident'],
  ['/incidents?view=list', 'New incident'],
  ['/attack', 'techniques are watched'],
  ['/assets', 'Last seen'],
  ['/entity?kind=host&value=ws-axe-light', 'Latest events'],
  ['/rules/new', 'Would run'],
  ['/integrations', 'New token'],
  ['/integrations?section=shippers', 'In a shell'],
  ['/integrations?section=consumers', 'Delivered'],
  ['/health', 'Events stored, each second'],
  ['/audit', 'Check the chain'],
  ['/settings', 'Second factor'],
  ['/settings?section=people', 'New person'],
  ['/settings?section=server', 'Journal'],
  ['/settings?section=groupings', 'New grouping'],
] as const;

for (const theme of ['light', 'dark'] as const) {
  test.describe(`${theme} theme`, () => {
    test.use({ colorScheme: theme, reducedMotion: 'reduce' } as object);

    test('axe finds nothing on any page', async ({ page, request }) => {
      test.setTimeout(120_000);
      const target = shared();
      const host = `ws-axe-${theme}`;
      await ingest(request, target, [encodedPowerShell(host)]);
      await page.goto(`${target.url}/login`);
      await expectAccessible(page, 'login');
      await logIn(page, target);
      await expect(row(page, host)).toBeVisible();
      await expectAccessible(page, 'alerts');

      await row(page, host).click();
      const panel = page.getByRole('complementary', { name: 'Alert' });
      for (const tab of ['Overview', 'Evidence', 'Related', 'Rule', 'Comments', 'History']) {
        await panel.getByRole('tab', { name: tab }).click();
        await expect(panel.getByRole('tabpanel')).not.toBeEmpty();
        await expectAccessible(page, `alert, ${tab}`);
      }
      await page.goto(`${target.url}/alerts?q=${host}&sort=severity&values=host&cols=severity,title,host,risk,tags`);
      await expect(page.getByRole('complementary', { name: 'Values' })).toContainText(host);
      await row(page, host).getByRole('checkbox').click();
      await expect(page.getByRole('toolbar')).toContainText('1 selected');
      await expectAccessible(page, 'alerts with chosen columns, values and a selection');
      await page.getByRole('button', { name: 'Clear the selection' }).click();
      await page.keyboard.press('j');
      await page.keyboard.press('c');
      await expect(page.getByRole('dialog')).toBeVisible();
      await expectAccessible(page, 'closing dialog');
      await page.keyboard.press('Escape');
      await page.keyboard.press('?');
      await expect(page.getByRole('dialog', { name: 'Keyboard shortcuts' })).toBeVisible();
      await expectAccessible(page, 'help');
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'Administrator' }).click();
      await expectAccessible(page, 'account menu');

      await page.goto(`${target.url}/events`);
      await page.getByRole('grid', { name: 'Events' }).getByRole('row').filter({ hasText: host }).first().click();
      await expect(page.getByRole('searchbox', { name: 'Search in the raw record' })).toBeVisible();
      await expectAccessible(page, 'events');
      await page.goto(`${target.url}/events?q=nothing-has-this`);
      await expect(page.getByText('No event matches')).toBeVisible();
      await expectAccessible(page, 'no events');

      await page.goto(`${target.url}/rules`);
      await page.getByRole('grid', { name: 'Rules' }).getByText('PowerShell with an Encoded Command').click();
      await expect(page.getByRole('region', { name: 'Source of the rule' })).toBeVisible();
      await expectAccessible(page, 'rules');
      await page.getByRole('link', { name: 'Edit and test' }).click();
      await page.getByRole('tab', { name: /Versions/ }).click();
      await page.getByRole('button', { name: 'Compare version 1' }).click();
      await expect(page.getByText('They are the same.')).toBeVisible();
      await expectAccessible(page, 'versions of a rule');

      for (const [path, ready] of pages) {
        await page.goto(target.url + path);
        await expect(page.getByText(ready).first()).toBeVisible();
        await expectAccessible(page, path);
      }
      await page.keyboard.press('Control+k');
      await expectAccessible(page, 'palette');
    });
  });
}
