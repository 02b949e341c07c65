import { createHmac } from 'node:crypto';
import { expect, test } from '@playwright/test';
import { logIn, shared } from './actions';

test('a wrong password is refused with a reason', async ({ page }) => {
  const { url } = shared();
  await page.goto(url);
  await page.getByLabel('Name').fill('nobody-here');
  await page.getByLabel('Password').fill('not the password');
  await page.getByRole('button', { name: 'Log in' }).click();
  await expect(page.getByRole('alert')).toContainText('The name or the password is wrong');
  await expect(page).toHaveURL(/\/login/);
});

test('after the login one is where the link led', async ({ page }) => {
  const target = shared();
  await logIn(page, target, '/rules?level=high');
  await expect(page).toHaveURL(/\/rules\?level=high$/);
  await expect(page.getByRole('grid', { name: 'Rules' })).toContainText('PowerShell with an Encoded Command');
});

test('logging out in one tab ends the others too', async ({ context }) => {
  const target = shared();
  const page = await context.newPage();
  await logIn(page, target);
  const second = await context.newPage();
  await second.goto(`${target.url}/events`);
  await expect(second.getByRole('heading', { name: 'Events' })).toBeAttached();
  await page.getByRole('button', { name: 'Administrator' }).click();
  await page.getByRole('menuitem', { name: 'Log out' }).click();
  await expect(page).toHaveURL(/\/login/);
  await expect(second).toHaveURL(/\/login\?to=\/events/);
});

test('an access token that is no longer good is renewed without a word', async ({ page }) => {
  const target = shared();
  await logIn(page, target);
  await page.evaluate(() => {
    const kept = JSON.parse(localStorage.getItem('secmon.session') ?? '{}');
    localStorage.setItem('secmon.session', JSON.stringify({ ...kept, accessToken: `${kept.accessToken}x` }));
  });
  await page.goto(`${target.url}/rules`);
  await expect(page.getByRole('grid', { name: 'Rules' })).toBeVisible();
  await expect(page.getByRole('status', { name: 'Connection: Live' })).toBeVisible();
});

test('an account with a second factor asks for the code, once the password is right', async ({ page }) => {
  const { url, password } = shared();
  const call = async <T>(bearer: string, query: string, variables: object): Promise<T> => {
    const answer = await fetch(`${url}/api/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(bearer && { authorization: `Bearer ${bearer}` }) },
      body: JSON.stringify({ query, variables }),
    });
    return ((await answer.json()) as { data: T }).data;
  };
  const own = { name: 'careful', password: 'a careful password' };
  const logInBy = async (input: object) =>
    (
      await call<{ sessionLogin: { accessToken: string } }>(
        '',
        'mutation ($input: SessionLoginInput!) { sessionLogin(input: $input) { accessToken } }',
        { input },
      )
    ).sessionLogin.accessToken;
  await call(
    await logInBy({ name: 'admin', password }),
    'mutation ($input: UserCreateInput!) { userCreate(input: $input) { errors { code } } }',
    { input: { ...own, role: 'VIEWER' } },
  );
  const mine = await logInBy(own);
  const { totpEnrol } = await call<{ totpEnrol: { secret: string } }>(
    mine,
    'mutation ($password: String!) { totpEnrol(input: { password: $password }) { secret } }',
    { password: own.password },
  );
  const { totpConfirm } = await call<{ totpConfirm: { recoveryCodes: string[] } }>(
    mine,
    'mutation ($code: String!) { totpConfirm(input: { code: $code }) { recoveryCodes } }',
    { code: oneTimePassword(totpEnrol.secret) },
  );

  await page.goto(url);
  await page.getByLabel('Name').fill(own.name);
  await page.getByLabel('Password').fill(own.password);
  await expect(page.getByLabel(/Code/)).toHaveCount(0);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByLabel(/Code of your authenticator app/).fill('000000');
  await page.getByRole('button', { name: 'Log in' }).click();
  await expect(page.getByRole('alert')).toContainText('The code is wrong');
  await page.getByLabel(/Code of your authenticator app/).fill(totpConfirm.recoveryCodes[0] ?? '');
  await page.getByRole('button', { name: 'Log in' }).click();
  await expect(page).toHaveURL(/\/alerts/);
});

/** The code of RFC 6238 for now: what an authenticator app shows. */
function oneTimePassword(secret: string): string {
  const bits = [...secret]
    .map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0'))
    .join('');
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const hash = createHmac('sha1', key).update(counter).digest();
  const code = hash.readUInt32BE((hash.at(-1) ?? 0) & 15) & 0x7fffffff;
  return String(code % 1_000_000).padStart(6, '0');
}
