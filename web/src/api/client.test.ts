import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createCache } from './client';

/** All documents of the dashboard, by their paths. */
const documents = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.graphql'))
  .map((file) => [file, readFileSync(join('src', file), 'utf8')] as const);

describe('objects without an id that the cache does not merge', () => {
  test.each([
    ['source', 'ip port'],
    ['destination', 'ip port'],
    ['logSource', 'product category service'],
  ])('%s is asked for whole, everywhere', (field, whole) => {
    const asked = documents.flatMap(([file, text]) =>
      [...text.matchAll(new RegExp(`\\b${field} \\{([^}]*)\\}`, 'g'))]
        .map(([, fields]) => `${file}: ${fields?.trim().split(/\s+/).join(' ')}`)
        // What has an id is no endpoint: a source of events.
        .filter((each) => !/: (id|\.\.\.SourceFacts)\b/.test(each)),
    );
    expect(asked.length).toBeGreaterThan(1);
    expect(asked.filter((each) => !each.endsWith(`: ${whole}`))).toEqual([]);
  });

  test('the cache notes nothing of alerts that lasts longer than they do', () => {
    const { policies } = createCache() as unknown as {
      policies: { getMergeFunction(parent: string, field: string, child: string): unknown };
    };
    for (const [field, child] of [
      ['source', 'Endpoint'],
      ['destination', 'Endpoint'],
    ] as const) {
      expect(policies.getMergeFunction('Alert', field, child), field).toBeUndefined();
      expect(policies.getMergeFunction('Event', field, child), field).toBeUndefined();
    }
  });
});
