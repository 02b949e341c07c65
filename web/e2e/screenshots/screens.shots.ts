// Needs a built dashboard and binary; starts its own server with the demo.
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { encodedPowerShell, logIn, type Target, waitLive } from '../actions';
import { Server } from '../server';

/** Where the pictures go: to the documentation, or, to look at only, wherever one says. */
const folder = process.env.SECMON_SCREENSHOTS ?? join(import.meta.dirname, '../../../docs/screenshots');
/** What the demo plays in the meantime. */
const settle = 25_000;

/** Days that have ended, and some that have not. */
const past = ['97:web-1,web-2,db-1', '96:web-1,web-2', '95:db-1', '41:web-1', '12:web-1,web-2', '11:web-2,db-1'];

const incident = 'Activity on several hosts that nobody knows of';

/** Screens that need nothing done: name, address, and what shows that they are there. */
const screens = [
  ['overview', '/overview', 'Rules that fire most'],
  ['incidents', '/incidents', incident],
  ['incidents-list', '/incidents?view=list', incident],
  ['attack', '/attack', 'techniques are watched'],
  ['assets', '/assets', 'Last seen'],
  ['suppressions', '/suppressions', 'Backups run as root'],
  ['indicators', '/indicators', '203.0.113.38'],
  ['sources', '/sources', 'e2e'],
  ['dead-letters', '/sources/dead-letters', 'Bytes'],
  ['mappings', '/sources/mappings', 'gatekeeper'],
  ['channels', '/channels', 'Escalation by mail'],
  ['webhooks', '/webhooks', 'Night shift'],
  ['rule-editor', '/rules/new', 'Would run'],
  ['integrations', '/integrations', 'New token'],
  ['shippers', '/integrations?section=shippers', 'In a shell'],
  ['consumers', '/integrations?section=consumers', 'Delivered'],
  ['health', '/health', 'Events stored, each second'],
  ['audit', '/audit', 'Check the chain'],
  ['settings', '/settings', 'Second factor'],
  ['people', '/settings?section=people', 'New person'],
  ['server', '/settings?section=server', 'Journal'],
  ['retention', '/settings?section=retention', 'web-*'],
  ['groupings', '/settings?section=groupings', 'New grouping'],
] as const;

let server: Server;
let target: Target;
let archive: string;

// A screen shows what the ones before it have made.
test.describe.configure({ mode: 'serial' });

test.beforeAll(async () => {
  await mkdir(folder, { recursive: true });
  archive = await mkdtemp(join(tmpdir(), 'secmon-archive-'));
  server = await Server.start({ demo: true, past, args: [`--archive=${archive}/`] });
  target = { url: server.url, password: server.password, token: '' };
  const token = await login();
  await fill(token);
  await unknown(await server.ingestToken());
  await new Promise((done) => setTimeout(done, settle));
  await restore(token); // by now the days are in the archive
});

/** Webhooks and channels belong to a person: what is made is the administrator's. */
async function login(): Promise<string> {
  const response = await fetch(`${target.url}/api/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      query: 'mutation ($input: SessionLoginInput!) { sessionLogin(input: $input) { accessToken } }',
      variables: { input: { name: 'admin', password: target.password } },
    }),
  });
  const { data } = (await response.json()) as { data: { sessionLogin: { accessToken: string } } };
  return data.sessionLogin.accessToken;
}

/** What the demo leaves to people. */
async function fill(token: string): Promise<void> {
  const query = `mutation ($suppression: SuppressionCreateInput!, $list: IndicatorImportInput!, $webhook: WebhookCreateInput!, $mapping: MappingCreateInput!, $chat: ChannelCreateInput!, $mail: ChannelCreateInput!) {
    suppressionCreate(input: $suppression) { errors { message } }
    indicatorImport(input: $list) { errors { message } }
    webhookCreate(input: $webhook) { errors { message } }
    mappingCreate(input: $mapping) { errors { message } }
    chat: channelCreate(input: $chat) { errors { message } }
    mail: channelCreate(input: $mail) { errors { message } }
  }`;
  await send(token, query, {
    suppression: {
      name: 'Backups run as root',
      reason: 'The nightly backup of db-1; asked of operations.',
      alertFilter: { query: 'host:db-1 user:root' },
    },
    webhook: {
      name: 'Night shift',
      url: 'https://chat.example/hooks/night-shift',
      document: 'subscription { alertFeed { cursor entries { change alert { title severity host } } } }',
    },
    // Neither leads anywhere: what is sent is tried again.
    chat: {
      name: 'Chat of the night shift',
      kind: 'GENERIC',
      settings: { url: 'https://chat.example/hooks/night-shift', header: 'Authorization' },
      secret: 'Bearer of-nobody',
      query: 'severity:>=high',
      quiet: { timeZone: 'Europe/Berlin', from: '07:00', to: '22:00', unless: 'CRITICAL' },
    },
    mail: {
      name: 'Escalation by mail',
      kind: 'EMAIL',
      settings: {
        host: 'smtp.example',
        port: 587,
        security: 'STARTTLS',
        from: 'secmon@corp.example',
        to: ['on-call@corp.example'],
      },
      query: 'severity:>=critical',
      trigger: 'UNACKNOWLEDGED',
      afterMinutes: 15,
    },
    mapping: {
      name: 'gate',
      rules: {
        product: 'gatekeeper',
        tests: [{ path: 'node' }],
        fields: [
          { target: 'HOST', path: 'node', required: true },
          { target: 'USER', path: 'who' },
        ],
      },
    },
    list: {
      format: 'CSV',
      source: 'abuse.example',
      severity: 'HIGH',
      confidence: 80,
      text: [
        'value,description',
        '203.0.113.38,Guesses SSH passwords',
        '198.51.100.0/24,Rented for scans',
        'shop-login.example,Phishing',
        'https://cdn.example/a.ps1,Downloader',
        '44d88612fea8a8f36de82e1278abb02f,EICAR test file',
      ].join('\n'),
    },
  });
}

/** Brings a day of the archive back. */
async function restore(token: string): Promise<void> {
  const day = new Date(Date.now() - 96 * 86_400_000).toISOString();
  await send(token, 'mutation ($input: EventRestoreInput!) { eventRestore(input: $input) { errors { message } } }', {
    input: { from: day, to: day, query: 'host:web-*' },
  });
}

async function send(token: string, query: string, variables: object): Promise<void> {
  const response = await fetch(`${target.url}/api/graphql`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = (await response.json()) as {
    data?: Record<string, { errors: { message: string }[] }>;
    errors?: { message: string }[];
  };
  expect([errors ?? [], Object.values(data ?? {}).flatMap((payload) => payload.errors)]).toEqual([[], []]);
}

/** What other products send: known, unknown, and broken. */
async function unknown(token: string): Promise<void> {
  const records = [
    ...['till-1', 'till-2', 'till-3'].map((till) => JSON.stringify({ till, clerk: 'ana', sum: 12.5, kind: 'refund' })),
    JSON.stringify({ temperature: 71.5, rack: 'b4', level: 'warning' }),
    JSON.stringify(encodedPowerShell('ws-office-7')),
    '{"rack":"b4","temperature":7',
    'the door of rack b4 is open',
  ];
  const response = await fetch(`${target.url}/api/ingest`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/x-ndjson' },
    body: records.join('\n'),
  });
  expect(response.status).toBe(200);
}

test.afterAll(async () => {
  await server.stop();
  await rm(archive, { recursive: true, force: true });
});

for (const theme of ['dark', 'light'] as const) {
  test(`every screen, ${theme}`, async ({ browser }) => {
    const context = await browser.newContext({
      colorScheme: theme,
      viewport: { width: 1440, height: 900 },
      reducedMotion: 'reduce',
    });
    const page = await context.newPage();
    const shoot = async (name: string) => {
      await page.waitForTimeout(400);
      await page.screenshot({ path: join(folder, `${name}-${theme}.png`) });
    };
    await page.goto(`${target.url}/login`);
    await expect(page.getByRole('button', { name: 'Log in' })).toBeVisible();
    await shoot('login');
    await logIn(page, target);
    await waitLive(page);
    const alerts = page.getByRole('grid', { name: 'Alerts' });
    await expect(alerts.getByRole('row').nth(3)).toBeVisible();
    await shoot('alerts');
    const encoded = alerts.getByText('PowerShell with an Encoded Command').first();
    // Where it stands, and when it comes, depends on which stories the demo has played.
    await alerts.hover();
    await expect(async () => {
      await page.mouse.wheel(0, -20_000);
      for (let n = 0; n < 20 && !(await encoded.isVisible()); n++) {
        await page.mouse.wheel(0, 300);
        await page.waitForTimeout(200);
      }
      await encoded.click({ timeout: 5_000 });
    }).toPass({ timeout: 90_000 });
    const panel = page.getByRole('complementary', { name: 'Alert' });
    await expect(panel.getByRole('region', { name: 'Raw record' })).toBeVisible();
    await shoot('alert');
    // The demo may make the alert fire again in the same moment: then it has changed, and the change is refused.
    await expect(async () => {
      if (await panel.getByRole('button', { name: 'Acknowledge' }).isVisible()) await page.keyboard.press('a');
      await expect(panel.getByText('Assigned to Administrator')).toBeVisible({ timeout: 3_000 });
    }).toPass({ timeout: 30_000 });
    for (const tab of ['Evidence', 'Related', 'Rule', 'History']) {
      await panel.getByRole('tab', { name: tab }).click();
      await shoot(`alert-${tab.toLowerCase()}`);
    }
    await page.keyboard.press('c');
    await expect(page.getByRole('dialog')).toBeVisible();
    await shoot('alert-close');
    await page.keyboard.press('Escape');
    await expect(page.getByRole('dialog')).toBeHidden();
    await page.keyboard.press('Escape');
    await expect(panel).toBeHidden();
    // Some may be in the incident of the other theme already.
    for (let row = 1; ; row += 2) {
      // Rows move until somebody points at them, and may do so once more then: each is known by its own.
      await alerts.hover();
      const chosen = await alerts.getByRole('row').evaluateAll((all) => all.map((each) => each.id));
      for (const id of chosen.slice(row, row + 2)) await alerts.locator(`[id="${id}"]`).getByRole('checkbox').check();
      await expect(page.getByRole('toolbar')).toBeVisible();
      if (row === 1) await shoot('alerts-selected');
      await page.keyboard.press('e');
      await page.getByLabel('Title of the incident').fill(incident);
      // The notice of an earlier refusal may still be there: the answer alone says what became of this one.
      const answer = page.waitForResponse((r) => r.request().postData()?.includes('AlertEscalate') ?? false);
      await page.getByRole('button', { name: 'Open the incident' }).click();
      const { data } = (await (await answer).json()) as { data: { incidentCreate: { errors: unknown[] } } };
      if (data.incidentCreate.errors.length === 0) break;
      await page.getByRole('dialog').getByRole('button', { name: 'Cancel', exact: true }).click();
      await page.getByRole('toolbar').getByRole('button', { name: 'Clear the selection', exact: true }).click();
      await expect(page.getByRole('toolbar')).toBeHidden();
    }
    await expect(page.getByRole('list', { name: 'Timeline' })).toBeVisible();
    await page.getByLabel('New task').fill('Isolate the hosts');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByLabel('Comment').fill('Nobody can explain it: the owners were asked.');
    await page.getByRole('button', { name: 'Comment', exact: true }).click();
    await expect(page.getByRole('list', { name: 'Timeline' })).toContainText('Nobody can explain');
    await shoot('incident');
    await page.getByRole('tab', { name: 'Report' }).click();
    await expect(page.frameLocator('#report').locator('h1').first()).toBeVisible();
    await shoot('incident-report');
    for (const [name, path, ready] of screens) {
      await page.goto(target.url + path);
      await expect(page.getByText(ready).first()).toBeVisible();
      await page.waitForTimeout(1_200);
      await shoot(name);
    }
    await page.goto(`${target.url}/sources`);
    await page.getByRole('grid', { name: 'Sources' }).getByRole('row').filter({ hasText: 'generic' }).click();
    await expect(page.getByRole('complementary', { name: 'Source', exact: true })).toContainText('The last hour');
    await shoot('source');
    await page.goto(`${target.url}/sources/dead-letters`);
    await page.getByRole('grid', { name: 'Dead letters' }).getByRole('row').nth(1).click();
    await expect(page.getByRole('complementary', { name: 'Dead letter' })).toContainText('The record as it came');
    await shoot('dead-letter');
    await page.goto(`${target.url}/sources/mappings`);
    await page.getByRole('row').filter({ hasText: 'till' }).getByRole('link', { name: 'Make a mapping' }).click();
    await page.getByLabel('What till is', { exact: true }).selectOption('HOST');
    await expect(page.getByRole('article', { name: 'Record 1' })).toContainText('till-');
    await shoot('mapping');
    await page.goto(`${target.url}/channels`);
    await page.getByRole('grid', { name: 'Channels' }).getByRole('row').filter({ hasText: 'Chat of' }).click();
    await expect(page.getByRole('complementary', { name: 'Channel', exact: true })).toContainText('What is told');
    await shoot('channel');
    await page.getByRole('button', { name: 'New channel', exact: true }).click();
    await expect(page.getByRole('article', { name: 'The message', exact: true })).toBeVisible();
    await shoot('channel-new');
    await page.keyboard.press('Escape');
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: 'Go to or find' }).fill('ws');
    await shoot('palette');
    await page.keyboard.press('Escape');
    await page.goto(`${target.url}/settings?section=retention`);
    const restored = page.getByRole('region', { name: 'Restored', exact: true });
    await expect(restored).toContainText('Back');
    await restored.scrollIntoViewIfNeeded();
    await shoot('retention-restored');
    await page.getByRole('button', { name: 'Change', exact: true }).click();
    await page.getByLabel('Events are kept for', { exact: true }).fill('10');
    await page.getByRole('button', { name: 'Add a rule for a source', exact: true }).click();
    await page.getByLabel('Format', { exact: true }).fill('vpcflow');
    await expect(page.getByRole('region', { name: 'What it does', exact: true })).toContainText('Within six hours');
    await shoot('retention-change');
    await page.goto(`${target.url}/attack`);
    await page.getByRole('button', { name: /T1059/ }).first().click();
    await expect(page.getByRole('complementary', { name: 'Technique' })).toContainText('Rules (');
    await shoot('attack-technique');
    await page.goto(`${target.url}/assets`);
    await page.getByRole('grid', { name: 'Assets' }).getByRole('row').nth(1).click();
    await expect(page.getByRole('complementary', { name: 'Asset' })).toContainText('Risk');
    await shoot('asset');
    await page
      .getByRole('complementary', { name: 'Asset' })
      .getByRole('heading', { level: 3 })
      .getByRole('link')
      .click();
    await expect(page.getByRole('heading', { name: 'Latest events' })).toBeVisible();
    await shoot('entity');
    await page.goto(`${target.url}/events`);
    await expect(page.getByRole('grid', { name: 'Events' }).getByRole('row').nth(3)).toBeVisible();
    await shoot('events');
    // Rows that move with each event cannot be pressed.
    await page.getByRole('button', { name: /^Pause/ }).click();
    await page.getByRole('grid', { name: 'Events' }).getByRole('row').nth(3).click();
    await page.getByRole('button', { name: 'Go live' }).click();
    await expect(page.getByRole('searchbox', { name: 'Search in the raw record' })).toBeVisible();
    await shoot('event');
    await page.goto(`${target.url}/rules`);
    const rules = page.getByRole('grid', { name: 'Rules' });
    await expect(rules.getByRole('row').nth(3)).toBeVisible();
    await shoot('rules');
    await rules.getByRole('row').nth(3).click();
    await expect(page.getByRole('region', { name: 'Source of the rule' })).toBeVisible();
    await shoot('rule');
    await page.goto(`${target.url}/playground`);
    await expect(page.locator('.graphiql-query-editor .view-line').first()).toBeVisible();
    await page.getByRole('button', { name: 'Show Examples' }).click();
    await page.getByRole('button', { name: /What is common/ }).click();
    await page.getByRole('button', { name: /^Execute/ }).click();
    await expect(page.locator('.graphiql-response')).toContainText('groups');
    await shoot('playground');
    await context.close();
  });
}

/** Screens of a phone: name, address, and what shows that they are there. */
const phoneScreens = [
  ['overview', '/overview', 'Rules that fire most'],
  ['alerts', '/alerts', 'Severity'],
  ['incidents', '/incidents', 'New incident'],
  ['assets', '/assets', 'Last seen'],
  ['attack', '/attack', 'techniques are watched'],
  ['health', '/health', 'Replicas'],
  ['audit', '/audit', 'Check the chain'],
  ['settings', '/settings', 'Second factor'],
] as const;

for (const theme of ['dark', 'light'] as const) {
  test(`a phone, ${theme}`, async ({ browser }) => {
    const context = await browser.newContext({
      colorScheme: theme,
      viewport: { width: 390, height: 844 },
      hasTouch: true,
      reducedMotion: 'reduce',
    });
    const page = await context.newPage();
    const shoot = async (name: string) => {
      await page.waitForTimeout(600);
      await page.screenshot({ path: join(folder, `phone-${name}-${theme}.png`) });
    };
    await logIn(page, target, '/overview');
    for (const [name, path, ready] of phoneScreens) {
      await page.goto(target.url + path);
      await expect(page.getByText(ready).first()).toBeVisible();
      await shoot(name);
    }
    await page.getByRole('button', { name: 'Open the navigation' }).click();
    await shoot('navigation');
    await context.close();
  });

  test(`a server without events, ${theme}`, async ({ browser }) => {
    const empty = await Server.start();
    try {
      for (const [size, width, height] of [
        ['', 1440, 900],
        ['phone-', 390, 844],
      ] as const) {
        const context = await browser.newContext({
          colorScheme: theme,
          viewport: { width, height },
          reducedMotion: 'reduce',
        });
        const page = await context.newPage();
        await logIn(page, { url: empty.url, password: empty.password, token: '' }, '/overview');
        await expect(page.getByText('Nothing has come in yet')).toBeVisible();
        await page.waitForTimeout(600);
        await page.screenshot({ path: join(folder, `${size}first-run-${theme}.png`) });
        await context.close();
      }
    } finally {
      await empty.stop();
    }
  });
}

test('paper', async ({ browser }) => {
  const context = await browser.newContext({ colorScheme: 'dark', viewport: { width: 794, height: 1123 } });
  const page = await context.newPage();
  await logIn(page, target, '/incidents');
  await page.getByRole('link', { name: incident }).first().click();
  await expect(page.getByRole('list', { name: 'Timeline' })).toBeVisible();
  const address = page.url();
  for (const [name, tab] of [
    ['timeline', ''],
    ['report', '?tab=report'],
  ] as const) {
    await page.emulateMedia({ media: 'screen' });
    await page.goto(address + tab);
    if (tab) await expect(page.frameLocator('#report').locator('h1').first()).toBeVisible();
    else await expect(page.getByRole('list', { name: 'Timeline' })).toBeVisible();
    await page.emulateMedia({ media: 'print' });
    await page.waitForTimeout(400);
    await page.screenshot({ path: join(folder, `paper-${name}.png`) });
  }
  await context.close();
});
