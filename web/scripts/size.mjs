// Fails when the build is heavier than it may be: what the first page loads, and
// each route that comes later. Numbers are KiB, gzipped.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const budgets = { firstScript: 220, firstStyle: 15, lazyRoute: 60, editor: 160, playground: 2150 };
const dist = new URL('../dist/', import.meta.url).pathname;
const kib = (path) => gzipSync(readFileSync(path), { level: 9 }).length / 1024;
const page = readFileSync(join(dist, 'index.html'), 'utf8');
const named = (pattern) => [...page.matchAll(pattern)].map((m) => m[1]);
const sum = (files) => files.reduce((total, file) => total + kib(join(dist, file)), 0);

const first = named(/(?:src|href)="\/([^"]+\.js)"/g);
const styles = named(/href="\/([^"]+\.css)"/g);
const lazy = readdirSync(join(dist, 'assets'))
  .filter((f) => f.endsWith('.js') && !first.includes(`assets/${f}`))
  .map((f) => `assets/${f}`);
// The editor's workers load on demand and are not part of its first load.
const playground = readdirSync(join(dist, 'playground/assets'))
  .filter((f) => /\.(js|css)$/.test(f) && !/worker/i.test(f))
  .map((f) => `playground/assets/${f}`);

const rows = [
  // The page of alerts is what people open first: its chunk counts.
  ['first load, script', sum(first), budgets.firstScript],
  ['first load with the alert queue', sum([...first, ...lazy.filter((f) => /Alerts/.test(f))]), budgets.firstScript],
  ['first load, style', sum(styles), budgets.firstStyle],
  ...lazy.map((f) => [`later: ${f.slice(7)}`, sum([f]), /codemirror/.test(f) ? budgets.editor : budgets.lazyRoute]),
  ['playground', sum(playground), budgets.playground],
];
let failed = false;
for (const [what, size, budget] of rows) {
  const over = size > budget;
  failed ||= over;
  console.log(
    `${over ? 'OVER' : ' ok '}  ${size.toFixed(1).padStart(7)} of ${String(budget).padStart(4)} KiB  ${what}`,
  );
}
process.exit(failed ? 1 : 0);
