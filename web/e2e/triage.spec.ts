import { expect, test } from '@playwright/test';
import { addPerson, encodedPowerShell, encodedPowerShellTitle, ingest, logIn, row, shared, waitLive } from './actions';

test('an analyst sees an alert arrive, finds out why, closes it, and a colleague sees that', async ({
  page,
  browser,
  request,
}) => {
  const target = shared();
  const host = 'ws-triage';
  const colleagues = await browser.newContext();
  const other = await colleagues.newPage();
  await logIn(page, target);
  await logIn(other, target, '/alerts?status=all');
  await waitLive(page);
  await waitLive(other);

  await ingest(request, target, [encodedPowerShell(host)]);
  await expect(row(page, host)).toContainText(encodedPowerShellTitle);
  await expect(row(page, host)).toContainText('High');
  await expect(row(other, host)).toContainText('New');

  await row(page, host).click();
  const panel = page.getByRole('complementary', { name: 'Alert' });
  await expect(panel.getByRole('heading', { name: encodedPowerShellTitle })).toBeVisible();
  await expect(page).toHaveURL(/alert=/);
  const why = panel.getByRole('region', { name: 'Why it fired' });
  await expect(why.locator('mark').filter({ hasText: '-enc' })).toBeVisible();
  await expect(why).toContainText('CommandLine');
  await panel.getByRole('searchbox', { name: 'Search in the raw record' }).fill('explorer');
  await expect(panel.getByText('1 found')).toBeVisible();

  await panel.getByRole('button', { name: /^Close( c)?$/ }).click();
  const dialog = page.getByRole('dialog', { name: 'Close the alert' });
  await dialog.getByLabel('True positive').check();
  await dialog.getByLabel('Why?').fill('Ana confirmed: not hers. Host isolated.');
  await dialog.getByRole('button', { name: 'Close the alert' }).click();
  await expect(panel.getByText('Ana confirmed: not hers. Host isolated.')).toBeVisible();
  await expect(row(other, host)).toContainText('Closed');

  await panel.getByRole('tab', { name: 'History' }).click();
  await expect(panel.getByRole('tabpanel')).toContainText('Closed');
  await expect(panel.getByRole('tabpanel')).toContainText('Administrator');
  await expect(panel.getByRole('tabpanel')).toContainText('True positive');
  await page.keyboard.press('Escape');
  await expect(panel).toBeHidden();
  await expect(row(page, host), 'it is no longer open').toBeHidden();
  await colleagues.close();
});

test('by keyboard alone: move, open, acknowledge, comment, close', async ({ page, request }) => {
  const target = shared();
  const host = 'ws-keys';
  await ingest(request, target, [encodedPowerShell(host)]);
  await logIn(page, target, `/alerts?q=${host}`);
  await expect(row(page, host)).toBeVisible();
  await waitLive(page);
  await page.keyboard.press('j');
  await expect(row(page, host)).toHaveAttribute('aria-selected', 'true');
  await page.keyboard.press('Enter');
  const panel = page.getByRole('complementary', { name: 'Alert' });
  await expect(panel.getByText('Assigned to nobody')).toBeVisible();
  await page.keyboard.press('a');
  await expect(panel.getByText('Assigned to Administrator')).toBeVisible();
  await expect(row(page, host)).toContainText('Acknowledged');

  await panel.getByRole('tab', { name: 'Comments' }).click();
  await panel.getByLabel('Comment', { exact: true }).fill('<b>Looking</b> at it');
  await page.keyboard.press('Control+Enter');
  await expect(panel.getByRole('paragraph').filter({ hasText: '<b>Looking</b> at it' })).toBeVisible();

  await page.keyboard.press('Escape');
  await panel.getByRole('tab', { name: 'Comments' }).focus();
  await page.keyboard.press('c');
  const dialog = page.getByRole('dialog', { name: 'Close the alert' });
  await dialog.getByLabel('Benign').check();
  await dialog.getByLabel('Why?').fill('Deployment script');
  await page.keyboard.press('Control+Enter');
  await expect(dialog).toBeHidden();
  await page.goto(`${target.url}/alerts?status=closed&q=${host}`);
  await expect(row(page, host)).toContainText('Closed');
});

test('a change that came too late is refused, and says who was faster', async ({ page, browser, request }) => {
  const target = shared();
  const host = 'ws-conflict';
  await ingest(request, target, [encodedPowerShell(host)]);
  await logIn(page, target, `/alerts?q=${host}`);
  await row(page, host).click();
  const panel = page.getByRole('complementary', { name: 'Alert' });
  await expect(panel.getByRole('heading', { name: encodedPowerShellTitle })).toBeVisible();
  await page.keyboard.press('c');
  const dialog = page.getByRole('dialog', { name: 'Close the alert' });
  await dialog.getByLabel('Benign').check();
  await dialog.getByLabel('Why?').fill('Known script');

  const colleagues = await browser.newContext();
  const other = await colleagues.newPage();
  await logIn(other, target, `/alerts?q=${host}`);
  await expect(row(other, host)).toBeVisible();
  await other.keyboard.press('j');
  await expect(row(other, host)).toHaveAttribute('aria-selected', 'true');
  await other.keyboard.press('a');
  await expect(row(other, host)).toContainText('Acknowledged');

  await dialog.getByRole('button', { name: 'Close the alert' }).click();
  await expect(
    page.getByText(/^Administrator was faster: acknowledged\. Assignee: nobody → admin; Status: New → Acknowledged\. /),
  ).toBeVisible();
  await expect(row(page, host)).toContainText('Acknowledged');
  await colleagues.close();
});

test('filters, order and what is open are steps back, and a link shows the same', async ({
  page,
  context,
  request,
}) => {
  const target = shared();
  const hosts = ['ws-steps-1', 'ws-steps-2'];
  await ingest(request, target, hosts.map(encodedPowerShell));
  await logIn(page, target, '/alerts?q=ws-steps');
  await expect(row(page, 'ws-steps-1')).toBeVisible();
  await page.getByRole('button', { name: /^Closed/ }).click();
  await expect(page).toHaveURL(/status=all/);
  await page.getByRole('columnheader', { name: 'Severity' }).getByRole('button').click();
  await expect(page.getByRole('columnheader', { name: 'Severity' })).toHaveAttribute('aria-sort', 'descending');
  await row(page, 'ws-steps-2').click();
  const panel = page.getByRole('complementary', { name: 'Alert' });
  await expect(panel.getByRole('heading', { name: encodedPowerShellTitle })).toBeVisible();

  const link = page.url();
  const copy = await context.newPage();
  await copy.goto(link);
  await expect(copy.getByRole('columnheader', { name: 'Severity' })).toHaveAttribute('aria-sort', 'descending');
  await expect(copy.getByRole('complementary', { name: 'Alert' }).getByText('ws-steps-2').first()).toBeVisible();
  await expect(copy.getByRole('button', { name: /^Closed/ })).toHaveAttribute('aria-pressed', 'true');
  await copy.close();

  await page.goBack();
  await expect(panel, 'it was not open').toBeHidden();
  await page.goBack();
  await expect(page.getByRole('columnheader', { name: 'Last seen' })).toHaveAttribute('aria-sort', 'descending');
  await page.goBack();
  await expect(page.getByRole('button', { name: /^Closed/ })).toHaveAttribute('aria-pressed', 'false');
  await expect(page).toHaveURL(/q=ws-steps$/);
  await page.goForward();
  await expect(page).toHaveURL(/status=all/);
});

test('a line that is typed is one step back, however many letters it has', async ({ page, request }) => {
  const target = shared();
  await ingest(request, target, [encodedPowerShell('ws-typed')]);
  await logIn(page, target, '/alerts');
  await expect(row(page, 'ws-typed').first()).toBeVisible(); // before, nobody listens to keys
  await page.keyboard.press('/');
  await expect(page.getByRole('combobox', { name: /^Search words/ })).toBeFocused();
  await page.keyboard.type('ws-ty', { delay: 40 });
  await expect(page).toHaveURL(/q=ws-ty$/);
  await page.keyboard.type('ped', { delay: 40 });
  await expect(page).toHaveURL(/q=ws-typed$/);
  await page.goBack();
  await expect(page).toHaveURL(/\/alerts$/);
});

test('columns that are chosen stand one below the other, and say the risk', async ({ page, request }) => {
  const target = shared();
  await ingest(request, target, ['ws-cols', 'ws-cols-with-a-longer-name'].map(encodedPowerShell));
  await logIn(page, target, '/alerts?q=ws-cols&cols=severity,title,host,user,risk,tags');
  const first = row(page, 'ws-cols-with-a-longer-name');
  await expect(first).toBeVisible();
  const risk = page.getByRole('columnheader', { name: 'Risk' });
  const box = await risk.boundingBox();
  for (const each of await page.getByRole('grid', { name: 'Alerts' }).getByRole('row').all()) {
    // Select, severity, title, host, user, risk.
    const cell = await each.locator('[role=gridcell], [role=columnheader]').nth(5).boundingBox();
    expect(cell?.x).toBeCloseTo(box?.x ?? -1, 0);
  }
  await expect(first.getByRole('gridcell').nth(5), 'a fresh alert of severity high').toHaveText(/^[1-9]\d*$/);
});

test('a colleague sees who is viewing an alert, and takes over', async ({ page, browser, request }) => {
  const target = shared();
  const host = 'ws-claim';
  await ingest(request, target, [encodedPowerShell(host)]);
  const ana = { ...target, name: 'ana-claims', password: 'a password that is long' };
  await addPerson(request, target, { name: ana.name, displayName: 'Ana', password: ana.password, role: 'ANALYST' });
  await logIn(page, target, `/alerts?q=${host}`);
  const colleagues = await browser.newContext();
  const other = await colleagues.newPage();
  await logIn(other, ana, `/alerts?q=${host}`);
  const claimed = other.waitForResponse((r) => r.request().postData()?.includes('AlertClaimTake') === true);
  await row(other, host).click();
  await claimed;
  await row(page, host).click();
  const panel = page.getByRole('complementary', { name: 'Alert' });
  await expect(panel.getByText('Ana is viewing this alert')).toBeVisible();
  await panel.getByRole('button', { name: 'Take over' }).click();
  await expect(panel.getByText('Ana is viewing this alert')).toBeHidden();
  await expect(other.getByText('Administrator is viewing this alert')).toBeVisible();
  // Looking changes nothing: neither the history nor what somebody else decides.
  await panel.getByRole('tab', { name: 'History' }).click();
  await expect(panel.getByText('Raised')).toBeVisible();
  await expect(panel.getByText('Claimed')).toHaveCount(0);
  await other.keyboard.press('a');
  await expect(row(page, host)).toContainText('Acknowledged');
  await page.keyboard.press('Escape');
  await expect(other.getByText('Administrator is viewing this alert'), 'gone with the panel').toBeHidden();
  await colleagues.close();
});

test('the commonest values narrow the queue, and are left out of it', async ({ page, request }) => {
  const target = shared();
  await ingest(request, target, ['ws-values-1', 'ws-values-2'].map(encodedPowerShell));
  await logIn(page, target, '/alerts?q=ws-values');
  await expect(row(page, 'ws-values-1')).toBeVisible();
  await page.getByRole('button', { name: 'Show the commonest values' }).click();
  const values = page.getByRole('complementary', { name: 'Values' });
  await values.getByRole('button', { name: 'Leave out ws-values-1' }).click();
  await expect(row(page, 'ws-values-1')).toHaveCount(0);
  await expect(row(page, 'ws-values-2')).toBeVisible();
  await expect(page).toHaveURL(/-host%3Aws-values-1|-host:ws-values-1/);
});
