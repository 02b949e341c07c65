import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const sources = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((file) =>
  /(?<!generated|test)\.tsx?$/.test(file),
);

// Apollo refuses a document of several fragments unless it is told which one is meant, and only when it runs.
test('a fragment that is read is named where its document has others', async () => {
  const documents = new Map<string, number>();
  for (const file of readdirSync('src', { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.generated.ts')) continue;
    for (const [, name, text] of readFileSync(join('src', file), 'utf8').matchAll(
      /export const (\w+FragmentDoc) = (.*)/g,
    ))
      documents.set(name ?? '', text?.match(/"kind":"FragmentDefinition"/g)?.length ?? 0);
  }
  expect(documents.size).toBeGreaterThan(10);
  const unnamed = sources.flatMap((file) =>
    [...readFileSync(join('src', file), 'utf8').matchAll(/\{[^{}]*fragment: (\w+FragmentDoc)[^{}]*/g)].flatMap(
      ([call, name]) =>
        (documents.get(name ?? '') ?? 0) > 1 && !call.includes('fragmentName') ? [`${file}: ${name}`] : [],
    ),
  );
  expect(unnamed).toEqual([]);
});
