// On paper: one clean white document without the shell.
import { expect, test } from '@playwright/test';
import { encodedPowerShell, ingest, logIn, row, shared } from './actions';

test.use({ colorScheme: 'dark' });

test('an incident and its report print without the shell, dark on white', async ({ page, request }) => {
  const target = shared();
  const host = 'ws-print';
  await ingest(request, target, [encodedPowerShell(host)]);
  await logIn(page, target);
  await row(page, host).first().getByRole('checkbox').click();
  await page.keyboard.press('e');
  await page.getByLabel('Title of the incident').fill('Something to print');
  await page.getByRole('button', { name: 'Open the incident' }).click();
  const timeline = page.getByRole('list', { name: 'Timeline' });
  await expect(timeline).toBeVisible();
  const address = page.url();

  await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
  const shell = [
    page.getByRole('navigation', { name: 'Main' }),
    page.getByRole('banner'),
    page.getByRole('tablist'),
    page.getByRole('button', { name: 'Start work' }),
    page.getByRole('complementary', { name: 'Tasks and entities' }),
  ];
  for (const part of shell) await expect(part).toBeHidden();
  await expect(page.getByRole('heading', { level: 1, name: 'Something to print' })).toBeVisible();
  await expect(timeline).toBeVisible();
  const colours = await page.evaluate(() => {
    const { backgroundColor, color } = getComputedStyle(document.body);
    return { backgroundColor, color };
  });
  expect(colours).toEqual({ backgroundColor: 'rgb(255, 255, 255)', color: 'rgb(22, 26, 34)' });

  await page.emulateMedia({ media: 'screen', colorScheme: 'dark' });
  await page.goto(`${address}?tab=report`);
  const report = page.frameLocator('#report');
  await expect(report.getByRole('heading', { level: 1 })).toHaveText('Something to print');
  await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
  for (const part of shell) await expect(part).toBeHidden();
  // The whole of the report is there, not what fits into a window of it.
  const [shown, whole] = await page
    .locator('#report')
    .evaluate((frame: HTMLIFrameElement) => [
      frame.clientHeight,
      frame.contentDocument?.documentElement.scrollHeight ?? 0,
    ]);
  expect(whole).toBeGreaterThan(200);
  expect(shown).toBeGreaterThanOrEqual(whole ?? 0);
  await expect(page.getByRole('heading', { level: 1, name: 'Something to print' })).toBeHidden(); // the report has its own
});
