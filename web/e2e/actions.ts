// What the stories do again and again.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type APIRequestContext, expect, type Page } from '@playwright/test';

export interface Target {
  url: string;
  /** Whose password it is; the administrator's without. */
  name?: string;
  password: string;
  token: string;
}

/** The server that the stories share. */
export function shared(): Target {
  const { SECMON_E2E_URL: url, SECMON_E2E_PASSWORD: password, SECMON_E2E_TOKEN: token } = process.env;
  if (!url || !password || !token) throw new Error('the stories need their global setup');
  return { url, password, token };
}

export async function logIn(page: Page, { url, name = 'admin', password }: Target, path = '/alerts'): Promise<void> {
  await page.goto(url + path);
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
  await expect(page.getByRole('banner')).toBeVisible(); // on a phone the navigation is in a drawer
}

/** The feed holds: what comes from now on is pushed. */
export async function waitLive(page: Page): Promise<void> {
  await expect(page.getByRole('status', { name: 'Connection: Live' })).toBeVisible();
}

export async function ingest(request: APIRequestContext, target: Target, records: readonly object[]): Promise<void> {
  const response = await request.post(`${target.url}/api/ingest`, {
    headers: { authorization: `Bearer ${target.token}`, 'content-type': 'application/x-ndjson' },
    data: records.map((r) => JSON.stringify(r)).join('\n'),
  });
  expect(response.status(), await response.text()).toBe(200);
}

interface Person {
  name: string;
  displayName: string;
  password: string;
  role: 'VIEWER' | 'ANALYST' | 'ADMIN';
}

/** Makes an account. */
export async function addPerson(request: APIRequestContext, target: Target, person: Person): Promise<void> {
  const send = async (query: string, input: object, token?: string) => {
    const response = await request.post(`${target.url}/api/graphql`, {
      headers: token ? { authorization: `Bearer ${token}` } : {},
      data: { query, variables: { input } },
    });
    const { data, errors } = await response.json();
    const payload = Object.values(data ?? {})[0] as { accessToken?: string; errors: unknown[] } | undefined;
    expect(errors ?? payload?.errors).toEqual([]);
    return payload;
  };
  const login =
    'mutation ($input: SessionLoginInput!) { sessionLogin(input: $input) { accessToken errors { message } } }';
  const session = await send(login, { name: 'admin', password: target.password });
  const create = 'mutation ($input: UserCreateInput!) { userCreate(input: $input) { errors { message } } }';
  await send(create, person, session?.accessToken);
}

/** A process creation of Sysmon that fires "PowerShell with an Encoded Command". */
export function encodedPowerShell(host: string): object {
  return {
    EventID: 1,
    Channel: 'Microsoft-Windows-Sysmon/Operational',
    Provider: 'Microsoft-Windows-Sysmon',
    UtcTime: new Date().toISOString().replace('T', ' ').replace('Z', ''),
    Computer: host,
    User: 'CORP\\ana',
    Image: 'C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe',
    ParentImage: 'C:\\Windows\\explorer.exe',
    CommandLine: 'powershell.exe -nop -w hidden -enc SQBFAFgAIAAoAE4AZQB3AC0ATwBiAGoAZQBjAHQAKQA=',
  };
}

export const encodedPowerShellTitle = 'PowerShell with an Encoded Command';

/** The row of an alert about a host. */
export function row(page: Page, host: string) {
  return page.getByRole('grid', { name: 'Alerts' }).getByRole('row').filter({ hasText: host });
}

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface Finding {
  id: string;
  impact: string | null;
  help: string;
  nodes: { html: string; failureSummary: string }[];
}

/** Fails when axe finds anything on the page as it stands. */
export async function expectAccessible(page: Page, what: string): Promise<void> {
  // By evaluation, which the page's content security policy does not bind.
  await page.evaluate(axeSource);
  const findings = await page.evaluate(async () => {
    const { axe } = window as unknown as { axe: { run(o: object): Promise<{ violations: Finding[] }> } };
    const { violations } = await axe.run({
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
    });
    return violations;
  });
  const told = findings.map(
    (f) => `${f.id} (${f.impact}): ${f.help}\n${f.nodes.map((n) => `  ${n.html}\n  ${n.failureSummary}`).join('\n')}`,
  );
  expect(told, what).toEqual([]);
}
