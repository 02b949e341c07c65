import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { known } from './notice';

const source = readFileSync('../monitor/notice.go', 'utf8');

test.each([
  ['Notice', known[0][1], known[1][1], '.Alerts'],
  ['NoticeAlert', known[2][1]],
])('all that a %s has is named', (type, ...named) => {
  const [, body = ''] = new RegExp(`type ${type} struct \\{([^}]*)\\}`).exec(source) ?? [];
  const fields = [...body.matchAll(/^\t([A-Z]\w*)\s/gm)].map(([, field]) => `.${field}`);
  expect(fields.length).toBeGreaterThan(9);
  expect(named.flatMap((names) => names.split(' ')).sort()).toEqual(fields.sort());
});
