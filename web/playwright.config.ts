// Stories in a real browser against the real program, with its real database.
import { defineConfig } from '@playwright/test';
import { launchOptions } from './e2e/browser';

export default defineConfig({
  testDir: 'e2e',
  globalSetup: './e2e/globalSetup',
  // One after another: they share a server, and two cores are few.
  workers: 1,
  fullyParallel: false,
  timeout: 60_000,
  expect: { timeout: 15_000 },
  forbidOnly: !!process.env.CI,
  retries: 0,
  reporter: [['list']],
  use: {
    actionTimeout: 15_000,
    browserName: 'chromium',
    launchOptions,
    viewport: { width: 1440, height: 900 },
    trace: 'retain-on-failure',
    screenshot: 'only-on-failure',
  },
});
