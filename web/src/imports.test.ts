// A feature is a folder that knows no other feature; what two need is a noun, a
// part of the user interface or the live data.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const features = readdirSync('src/features');
const files = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => /\.tsx?$/.test(name));

test.each(features)('the feature %s imports no other feature', (feature) => {
  const folder = join('src/features', feature);
  for (const file of files(folder)) {
    const foreign = features.filter(
      (other) =>
        other !== feature &&
        new RegExp(`from '(\\.\\./)+(features/)?${other}/`).test(readFileSync(join(folder, file), 'utf8')),
    );
    expect(foreign, join(folder, file)).toEqual([]);
  }
});

test.each(['nouns', 'ui', 'live', 'api'])('%s know no feature', (folder) => {
  for (const file of files(join('src', folder))) {
    expect(readFileSync(join('src', folder, file), 'utf8'), file).not.toMatch(/from '.*features\//);
  }
});
