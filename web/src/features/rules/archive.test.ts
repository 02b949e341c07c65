import { strToU8, zipSync } from 'fflate';
import { expect, test } from 'vitest';
import { inParts, readRules } from './archive';

test('rules are read out of an archive, other files stay out', async () => {
  const zip = zipSync({
    'rules/a.yml': strToU8('title: ä'),
    'README.md': strToU8('no'),
    'b.yaml': strToU8('title: b'),
  });
  const file = { name: 'rules.zip', arrayBuffer: async () => zip.buffer } as unknown as File;
  const found = await readRules([file]);
  expect(found.map((f) => f.path).sort()).toEqual(['b.yaml', 'rules/a.yml']);
  expect(found.find((f) => f.path === 'rules/a.yml')?.source).toBe('title: ä');
});

test('what is no archive is said by name', async () => {
  const file = { name: 'x.bin', arrayBuffer: async () => new Uint8Array([1, 2, 3]).buffer } as unknown as File;
  await expect(readRules([file])).rejects.toThrow('x.bin');
});

test('parts are bounded by number and by size, and lose nothing', () => {
  const many = Array.from({ length: 450 }, (_, i) => ({ path: `${i}`, source: 'x' }));
  expect(inParts(many).map((p) => p.length)).toEqual([200, 200, 50]);
  const large = Array.from({ length: 3 }, (_, i) => ({ path: `${i}`, source: 'x'.repeat(300_000) }));
  expect(inParts(large).map((p) => p.length)).toEqual([1, 1, 1]);
  expect(inParts(many).flat()).toEqual(many);
});
