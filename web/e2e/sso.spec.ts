import { expect, test } from '@playwright/test';
import { startProvider } from './provider';
import { Server } from './server';

test('a person comes in by their provider, to where the link led', async ({ page }) => {
  const provider = await startProvider('secmon', {
    sub: '7',
    preferred_username: 'ana',
    name: 'Ana Ruiz',
    groups: ['soc'],
  });
  const server = await Server.start({
    args: (url) => [
      `--public-url=${url}`,
      `--oidc-issuer=${provider.url}`,
      '--oidc-client-id=secmon',
      '--oidc-name=Example',
      '--oidc-roles=ANALYST=soc',
    ],
  });
  try {
    await page.goto(`${server.url}/rules?level=high`);
    await page.getByRole('link', { name: 'Continue with Example' }).click();
    await page.getByRole('link', { name: 'Yes, it is me' }).click();
    await expect(page).toHaveURL(`${server.url}/rules?level=high`);
    await expect(page.getByRole('button', { name: 'Ana Ruiz' })).toBeVisible();
    await page.reload();
    await expect(page.getByRole('button', { name: 'Ana Ruiz' })).toBeVisible();

    await page.goto(`${server.url}/api/auth/oidc/callback?code=x&state=y`);
    await expect(page.getByRole('alert')).toContainText('begun in another browser');
  } finally {
    await server.stop();
    await provider.stop();
  }
});
