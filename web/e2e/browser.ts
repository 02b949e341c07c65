// The browser of the stories: the system's Chromium, which asks the network for
// nothing but this machine.
import { existsSync } from 'node:fs';
import type { LaunchOptions } from '@playwright/test';

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/Applications/Chromium.app/Contents/MacOS/Chromium'];

export const launchOptions: LaunchOptions = {
  executablePath: process.env.SECMON_CHROMIUM ?? places.find(existsSync),
  // Root may not use Chromium's sandbox.
  chromiumSandbox: process.getuid?.() !== 0,
  args: [
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--no-first-run',
    '--disable-quic',
    '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost',
  ],
};
