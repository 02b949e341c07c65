// The dashboard's budgets, measured in a real browser against the real program.
import { defineConfig } from '@playwright/test';
import { launchOptions } from './e2e/browser';
import base from './playwright.config';

export default defineConfig(base, {
  testDir: 'bench',
  testMatch: '*.bench.ts',
  globalSetup: undefined,
  timeout: 0, // each phase has a bound of its own
  use: {
    ...base.use,
    trace: 'off',
    screenshot: 'off',
    // gc() and exact heap sizes
    launchOptions: {
      ...launchOptions,
      args: [...(launchOptions.args ?? []), '--js-flags=--expose-gc', '--enable-precise-memory-info'],
    },
  },
});
