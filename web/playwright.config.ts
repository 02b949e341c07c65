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
  // In a pipeline a story that failed is told once more, and reported as flaky if it then
  // passes: its trace is kept, and a machine that stood still for a moment stops no release.
  retries: process.env.CI ? 1 : 0,
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
