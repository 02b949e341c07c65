// On a phone and a tablet: nothing stands outside the window, and everything can
// be reached.
import { expect, type Page, test } from '@playwright/test';
import { encodedPowerShell, expectAccessible, ingest, logIn, row, shared } from './actions';

/** What of the page stands outside the window where nothing scrolls to it. */
async function outside(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const found: string[] = [];
    if (document.documentElement.scrollWidth > window.innerWidth) {
      found.push(`the page is ${document.documentElement.scrollWidth} wide`);
    }
    for (const element of document.querySelectorAll<HTMLElement>('button, a, input, select, textarea, h1, h2, h3, p')) {
      const { left, right, width, height } = element.getBoundingClientRect();
      if (width <= 1 || height <= 1 || (left >= -1 && right <= window.innerWidth + 1)) continue;
      let parent = element.parentElement;
      while (parent && !/auto|scroll/.test(getComputedStyle(parent).overflowX)) parent = parent.parentElement;
      if (!parent) found.push(`${element.tagName} ${element.textContent?.slice(0, 40)} at ${left} to ${right}`);
    }
    return found;
  });
}

const pages = [
  ['/overview', 'Rules that fire most'],
  ['/alerts', 'Severity'],
  ['/incidents', 'New incident'],
  ['/incidents?view=list', 'New incident'],
  ['/events', 'Severity'],
  ['/assets', 'Last seen'],
  ['/entity?kind=host&value=ws-small', 'Latest events'],
  ['/rules', 'Level'],
  ['/attack', 'techniques are watched'],
  ['/integrations', 'New token'],
  ['/integrations?section=shippers', 'In a shell'],
  ['/health', 'Replicas'],
  ['/audit', 'Check the chain'],
  ['/settings', 'Second factor'],
  ['/settings?section=people', 'New person'],
  ['/settings?section=server', 'A login lasts'],
  ['/settings?section=retention', 'No archive is set up'],
  ['/settings?section=groupings', 'New grouping'],
] as const;

for (const [device, width, height] of [
  ['phone', 390, 844],
  ['tablet', 768, 1024],
] as const) {
  test.describe(`on a ${device}`, () => {
    test.use({ viewport: { width, height }, hasTouch: true, reducedMotion: 'reduce' } as object);

    test('no page is wider than the window', async ({ page, request }) => {
      test.setTimeout(240_000);
      const target = shared();
      await ingest(request, target, [encodedPowerShell('ws-small')]);
      await page.goto(`${target.url}/login`);
      await expect(page.getByRole('button', { name: 'Log in' })).toBeVisible();
      expect(await outside(page), 'login').toEqual([]);
      await logIn(page, target);
      for (const [path, ready] of pages) {
        await page.goto(target.url + path);
        await expect(page.getByText(ready).filter({ visible: true }).first(), path).toBeVisible();
        expect(await outside(page), path).toEqual([]);
      }
    });

    test('dialogs, menus and panels fit', async ({ page, request }) => {
      const target = shared();
      await ingest(request, target, [encodedPowerShell('ws-small')]);
      await logIn(page, target);
      const fits = async (what: string) => {
        expect(await outside(page), what).toEqual([]);
        await expectAccessible(page, what);
      };
      await row(page, 'ws-small').first().click();
      await expect(page.getByRole('complementary', { name: 'Alert' })).toBeVisible();
      await fits('alert');
      await page.goto(`${target.url}/assets`);
      await page.getByRole('grid', { name: 'Assets' }).getByRole('row').nth(1).click();
      await expect(page.getByRole('complementary', { name: 'Asset' })).toContainText('Criticality');
      await fits('asset');
      await page.goto(`${target.url}/settings?section=people`);
      await page.getByRole('button', { name: 'More' }).first().click();
      await expect(page.getByRole('menuitem', { name: 'Set a password' })).toBeInViewport();
      await fits('menu of a person');
      await page.getByRole('menuitem', { name: 'Set a password' }).click();
      await expect(page.getByRole('dialog')).toBeInViewport();
      await fits('password of a person');
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'New person' }).click();
      await expect(page.getByRole('button', { name: 'Create' })).toBeInViewport();
      await fits('new person');
    });
  });
}

test.describe('the navigation of a phone', () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true } as object);

  test('a drawer leads to every page, and gives the focus back', async ({ page }) => {
    await page.goto(`${shared().url}/login`);
    await page.getByLabel('Name').fill('admin');
    await page.getByLabel('Password').fill(shared().password);
    await page.getByRole('button', { name: 'Log in' }).click();
    const open = page.getByRole('button', { name: 'Open the navigation' });
    const drawer = page.getByRole('dialog', { name: 'Navigation' });
    await open.click();
    await expectAccessible(page, 'drawer');
    const links = await drawer.getByRole('link').allInnerTexts();
    expect(links.length).toBeGreaterThan(10);
    await drawer.getByRole('link', { name: 'Health' }).click();
    await expect(drawer).toBeHidden();
    await expect(page).toHaveURL(/\/health$/);
    await open.click();
    await page.keyboard.press('Escape');
    await expect(drawer).toBeHidden();
    await expect(open).toBeFocused();
  });
});
