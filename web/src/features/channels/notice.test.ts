import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { known } from './notice';

const fields = readFileSync('../notify/channel/fields.go', 'utf8');
const functions = readFileSync('../notify/channel/template.go', 'utf8');

test.each([
  ['fields', known[0][1], known[1][1], '.Alerts'],
  ['alertFields', known[2][1]],
])('of %s all are named', (type, ...named) => {
  const [, body = ''] = new RegExp(`type ${type} struct \\{([^}]*)\\}`).exec(fields) ?? [];
  const there = [...body.matchAll(/^\t([A-Z]\w*)\s/gm)].map(([, field]) => `.${field}`);
  expect(there.length).toBeGreaterThan(9);
  expect(named.flatMap((names) => names.split(' ')).sort()).toEqual(there.sort());
});

test.each(known[3][1].split(' '))('there is the function %s', (name) => expect(functions).toContain(`"${name}":`));
