// Pictures of every screen in both themes, for the README and for looking at.
import { defineConfig } from '@playwright/test';
import base from './playwright.config';

export default defineConfig(base, {
  testDir: 'e2e/screenshots',
  testMatch: '*.shots.ts',
  globalSetup: undefined,
  timeout: 300_000,
  use: { ...base.use, actionTimeout: 20_000 },
});
