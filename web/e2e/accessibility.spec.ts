import { expect, type Locator, type Page, test } from '@playwright/test';
import { encodedPowerShell, expectAccessible, ingest, logIn, row, shared } from './actions';

/** Address, and what shows that the page is there. */
const pages = [
  ['/overview', 'Rules that fire most'],
  ['/incidents', 'New incident'],
  ['/incidents?view=list', 'New incident'],
  ['/attack', 'techniques are watched'],
  ['/assets', 'Last seen'],
  ['/suppressions', 'New suppression'],
  ['/sources', 'Last seen'],
  ['/sources/dead-letters', 'Replay all'],
  ['/sources/mappings', 'New mapping'],
  ['/sources/mappings/new', 'Create mapping'],
  ['/channels', 'New channel'],
  ['/webhooks', 'New webhook'],
  ['/indicators', 'New indicator'],
  ['/entity?kind=host&value=ws-axe-light', 'Latest events'],
  ['/rules/new', 'Would run'],
  ['/integrations', 'New token'],
  ['/integrations?section=shippers', 'In a shell'],
  ['/integrations?section=consumers', 'Delivered'],
  ['/entity', 'Which one?'],
  ['/incidents/SW5jaWRlbnQ6MDAwMDAwMDAtMDAwMC03MDAwLTgwMDAtMDAwMDAwMDAwMDAw', 'There is no such incident'],
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
      await expect(page.getByRole('dialog')).toBeHidden();
      await page.keyboard.press('?');
      await expect(page.getByRole('dialog', { name: 'Keyboard shortcuts' })).toBeVisible();
      await expectAccessible(page, 'help');
      await page.keyboard.press('Escape');
      await expect(page.getByRole('dialog')).toBeHidden();
      await page.getByRole('button', { name: 'Administrator' }).click();
      await expect(page.getByRole('menuitem', { name: 'Log out' })).toBeVisible();
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
      await page.getByRole('button', { name: 'Compare version 1', exact: true }).click();
      await expect(page.getByText('They are the same.')).toBeVisible();
      await expectAccessible(page, 'versions of a rule');

      for (const [path, ready] of pages) {
        await page.goto(target.url + path);
        await expect(page.getByText(ready).first()).toBeVisible();
        await expectAccessible(page, path);
      }
      await page.keyboard.press('Control+k');
      await expect(page.getByRole('dialog', { name: 'Go to or find' })).toBeVisible();
      await expectAccessible(page, 'palette');
    });
  });
}

/** What opens over or beside a page: address, how it is opened, and what shows that it is there. */
const openings: readonly [
  name: string,
  path: string,
  open: (page: Page) => Promise<void>,
  ready: (page: Page) => Locator,
][] = [
  [
    'new incident',
    '/incidents',
    (page) => page.getByRole('button', { name: 'New incident' }).click(),
    (page) => page.getByRole('dialog'),
  ],
  [
    'new token',
    '/integrations',
    (page) => page.getByRole('button', { name: 'New token' }).click(),
    (page) => page.getByRole('dialog', { name: 'New token' }),
  ],
  [
    'revoking a token',
    '/integrations',
    (page) => page.getByRole('button', { name: 'Revoke' }).first().click(),
    (page) => page.getByRole('dialog', { name: /Revoke/ }),
  ],
  [
    'new person',
    '/settings?section=people',
    (page) => page.getByRole('button', { name: 'New person' }).click(),
    (page) => page.getByRole('dialog', { name: 'New person' }),
  ],
  [
    'menu of a person',
    '/settings?section=people',
    (page) => page.getByRole('button', { name: 'More' }).first().click(),
    (page) => page.getByRole('menu', { name: /^More for/ }),
  ],
  [
    'new grouping',
    '/settings?section=groupings',
    (page) => page.getByRole('button', { name: 'New grouping' }).click(),
    (page) => page.getByRole('dialog', { name: /grouping/i }),
  ],
  [
    'asset',
    '/assets',
    (page) => page.getByRole('grid', { name: 'Assets' }).getByRole('row').nth(1).click(),
    (page) => page.getByRole('complementary', { name: 'Asset' }).getByText('Criticality', { exact: true }),
  ],
  [
    'technique',
    '/attack',
    (page) => page.getByRole('button', { name: /T1059/ }).first().click(),
    (page) => page.getByRole('complementary', { name: 'Technique' }).getByText('Rules ('),
  ],
  [
    'entry of the audit log',
    '/audit',
    (page) => page.locator('summary').first().click(),
    (page) => page.locator('details[open]'),
  ],
  [
    'import of rules',
    '/rules',
    (page) => page.getByRole('button', { name: 'Import' }).click(),
    (page) => page.getByRole('dialog', { name: /Import/ }),
  ],
  [
    'saved views',
    '/alerts',
    (page) => page.getByRole('button', { name: 'Views' }).click(),
    (page) => page.getByRole('menu').first(),
  ],
  [
    'columns',
    '/alerts',
    (page) => page.getByRole('button', { name: 'Columns' }).click(),
    (page) => page.getByRole('menu').first(),
  ],
];

for (const theme of ['light', 'dark'] as const) {
  test.describe(`${theme} theme`, () => {
    test.use({ colorScheme: theme, reducedMotion: 'reduce' } as object);

    test('axe finds nothing on what opens, nor on an incident', async ({ page, request }) => {
      test.setTimeout(300_000);
      const target = shared();
      const host = `ws-open-${theme}`;
      await ingest(request, target, [encodedPowerShell(host)]);
      await logIn(page, target);
      for (const [name, path, open, ready] of openings) {
        await page.goto(target.url + path);
        await open(page);
        await expect(ready(page), name).toBeVisible();
        await expectAccessible(page, name);
      }
      await page.goto(`${target.url}/alerts`);
      await row(page, host).getByRole('checkbox').click();
      await page.keyboard.press('e');
      await expect(page.getByLabel('Title of the incident')).toBeVisible();
      await expectAccessible(page, 'escalation');
      await page.getByLabel('Title of the incident').fill('To look at');
      await page.getByRole('button', { name: 'Open the incident' }).click();
      await expect(page.getByRole('list', { name: 'Timeline' })).toBeVisible();
      await expectAccessible(page, 'incident, timeline');
      for (const menu of ['Assign', 'Severity']) {
        await page.getByRole('button', { name: menu, exact: true }).click();
        await expect(page.getByRole('menu')).toBeVisible();
        await expectAccessible(page, `incident, menu ${menu}`);
        await page.keyboard.press('Escape');
        await expect(page.getByRole('menu')).toBeHidden();
      }
      for (const dialog of ['Edit', 'Close']) {
        await page.getByRole('button', { name: dialog, exact: true }).click();
        await expect(page.getByRole('dialog')).toBeVisible();
        await expectAccessible(page, `incident, ${dialog}`);
        await page.keyboard.press('Escape');
        await expect(page.getByRole('dialog')).toBeHidden();
      }
      for (const tab of ['Alerts', 'Report']) {
        await page.getByRole('tab', { name: tab }).click();
        await expect(page.getByRole('tabpanel')).not.toBeEmpty();
        await expectAccessible(page, `incident, ${tab}`);
      }
    });
  });
}

test('the keyboard reaches the content at once, and the focus comes back from what opened over it', async ({
  page,
}) => {
  const target = shared();
  await logIn(page, target, '/settings?section=people');
  await page.goto(`${target.url}/settings?section=people`);
  await expect(page.getByRole('button', { name: 'New person' })).toBeVisible();
  await page.keyboard.press('Tab');
  const skip = page.getByRole('link', { name: 'Skip to the content' });
  await expect(skip).toBeFocused();
  await expect(skip).toBeInViewport();
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  await expect(page.getByRole('tab', { name: 'People' })).toBeFocused();

  const opens: readonly [Locator, RegExp | string][] = [
    [page.getByRole('button', { name: 'New person' }), 'New person'],
    [page.getByRole('button', { name: 'Keyboard shortcuts (?)' }), 'Keyboard shortcuts'],
    [page.getByRole('button', { name: 'Find' }), 'Go to or find'],
  ];
  for (const [opener, name] of opens) {
    await opener.focus();
    await page.keyboard.press('Enter');
    await expect(page.getByRole('dialog', { name })).toBeVisible();
    await page.keyboard.press('Escape');
    await expect(page.getByRole('dialog', { name })).toBeHidden();
    await expect(opener).toBeFocused();
  }
  const more = page.getByRole('button', { name: 'More' }).first();
  await more.focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('menuitem').first()).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(more).toBeFocused();
});

test('nothing moves for who has asked for less motion', async ({ page }) => {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await logIn(page, shared(), '/overview');
  await expect(page.getByText('Rules that fire most').first()).toBeVisible(); // an empty page moves never
  const moving = await page.evaluate(
    () =>
      [...document.querySelectorAll('*')]
        .flatMap((element) => [getComputedStyle(element), getComputedStyle(element, '::before')])
        .filter(
          (style) =>
            (style.animationName !== 'none' && Number.parseFloat(style.animationDuration) > 0.001) ||
            Number.parseFloat(style.transitionDuration) > 0.001,
        ).length,
  );
  expect(moving).toBe(0);
});

test('each chart is a figure with a name and a table that says the same', async ({ page, request }) => {
  const target = shared();
  await ingest(request, target, [encodedPowerShell('ws-chart')]);
  await logIn(page, target, '/overview');
  for (const [path, name] of [
    ['/overview', 'Alerts by severity over time'],
    ['/health', 'Events stored in the last two minutes, each second'],
  ] as const) {
    await page.goto(target.url + path);
    const figure = page.getByRole('figure', { name });
    await expect(figure).toBeVisible();
    await expect(figure.getByRole('table', { name })).toBeAttached();
    await figure.getByRole('slider').focus();
    await page.keyboard.press('ArrowLeft');
    await expect(figure.getByRole('slider')).toHaveAttribute('aria-valuetext', /\d+:\d+.*: \d+/);
  }
});
