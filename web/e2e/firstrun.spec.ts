// A server that holds nothing: every page says how to send the first event, and
// the commands on it work as they stand.
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, type Page, test } from '@playwright/test';
import { encodedPowerShellTitle, expectAccessible, logIn, type Target } from './actions';
import { Server, secmon } from './server';

const run = promisify(execFile);

/** Every page, and what it says of itself while there is nothing. */
const pages = [
  ['/overview', 'No alert of this time is closed'],
  ['/alerts', 'New ones appear here by themselves'],
  ['/incidents', 'There are no incidents'],
  ['/incidents?view=list', 'There are no incidents'],
  ['/events', 'They appear here as they come in'],
  ['/assets', 'No hosts or users are known yet'],
  ['/indicators', 'No indicators yet'],
  ['/entity?kind=host&value=ws-01', 'No event has it'],
  ['/rules', 'Access Key Created'],
  ['/rules/new', 'Would run'],
  ['/attack', 'none has fired in this time'],
  ['/integrations', 'There are no tokens'],
  ['/integrations?section=shippers', 'In a shell'],
  ['/integrations?section=consumers', 'Delivered'],
  ['/health', 'No token may send'],
  ['/audit', 'Logged in'],
  ['/settings', 'Second factor'],
  ['/settings?section=people', 'New person'],
  ['/settings?section=server', 'A login lasts'],
  ['/settings?section=retention', 'No archive is set up'],
  ['/settings?section=groupings', 'New grouping'],
] as const;

const steps = (page: Page) => page.getByRole('region', { name: 'Nothing has come in yet' });

let server: Server;
let target: Target;
let folder: string;

test.beforeEach(async () => {
  server = await Server.start();
  target = { url: server.url, password: server.password, token: '' };
  folder = await mkdtemp(join(tmpdir(), 'secmon-shell-'));
});

test.afterEach(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Runs commands as somebody does who pastes them into a shell beside the server. */
async function paste(...commands: string[]): Promise<void> {
  await run('bash', ['-euc', commands.join('\n')], {
    cwd: folder,
    env: { PATH: `${dirname(secmon)}:${process.env.PATH}`, HOME: folder, SECMON_DATA_DIR: server.dataDir },
  });
}

test('every page of an empty server says how to send the first event, and what it shows once there is one', async ({
  page,
}) => {
  test.setTimeout(300_000);
  await logIn(page, target);
  for (const [path, says] of pages) {
    await page.goto(target.url + path);
    await expect(page.getByText(says).first(), path).toBeVisible();
    await expect(steps(page), path).toContainText(`curl ${target.url}/api/ingest`);
    await expect(steps(page).getByRole('button', { name: 'Make a token' }), path).toBeVisible();
    await expectAccessible(page, path);
  }
  await steps(page).getByRole('button', { name: 'Hide the first steps' }).click();
  await page.goto(`${target.url}/assets`);
  await expect(steps(page)).not.toContainText('curl');
  await steps(page).getByRole('button', { name: 'Show the first steps' }).click();
  await expect(steps(page)).toContainText('curl');
});

test('the command with the token that the page made sends an event, which is seen to arrive', async ({ page }) => {
  await logIn(page, target, '/overview');
  await steps(page).getByRole('button', { name: 'Make a token' }).click();
  const command = steps(page).locator('pre').filter({ hasText: 'curl' });
  await expect(command).toContainText('Bearer smt_');
  await paste(await command.innerText());
  await expect(page.getByRole('status').filter({ hasText: 'The first event has come in' })).toBeVisible();
  await expect(page.getByRole('button', { name: encodedPowerShellTitle })).toBeVisible();
  await page.getByRole('link', { name: 'See the alerts' }).click();
  await expect(page.getByRole('grid', { name: 'Alerts' })).toContainText(encodedPowerShellTitle);
  await page.reload();
  await expect(page.getByRole('grid', { name: 'Alerts' })).toContainText('ws-01');
  await expect(page.getByText('The first event has come in')).toBeHidden();
});

test('the commands for a shell work one after another', async ({ page }) => {
  await logIn(page, target, '/events');
  const commands = await steps(page).locator('pre').allInnerTexts();
  expect(commands[0]).toContain('secmon token create');
  expect(commands[1]).toContain('$TOKEN');
  await paste(...commands);
  await expect(page.getByRole('grid', { name: 'Events' })).toContainText('ws-01');
  await expect(page.getByText('The first event has come in')).toBeVisible();
});
