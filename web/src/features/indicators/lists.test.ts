import { expect, test } from 'vitest';
import { formatOf, partsOf, previewOf } from './lists';

test('CSV is cut between lines, with its names in each part and the right positions', () => {
  const row = (n: number) => `203.0.113.${n % 250},"a note ${'x'.repeat(90)}\nof two lines"\n`;
  const text = `ioc,comment\n${Array.from({ length: 3_000 }, (_, n) => row(n)).join('')}`;
  const parts = partsOf('CSV', text);
  expect(parts.length).toBeGreaterThan(1);
  expect(parts.map((part) => part.size).reduce((a, b) => a + b)).toBe(3_001);
  let rows = 1;
  for (const part of parts) {
    expect(part.text.startsWith('ioc,comment\n')).toBe(true);
    expect(part.text.endsWith('lines"\n')).toBe(true);
    // What stands in the part's second line stands in the file at that line.
    const second = part.text.split('\n')[1];
    expect(text.split('\n')[part.first]).toBe(second);
    rows += part.text.split('\n').length - 2;
  }
  expect(rows).toBe(text.split('\n').length - 1);
});

test('STIX is cut between objects', () => {
  const objects = Array.from({ length: 4_500 }, (_, n) => ({ type: 'indicator', id: `indicator--${n}` }));
  const parts = partsOf('STIX', JSON.stringify({ type: 'bundle', objects }));
  expect(parts.map((part) => part.first)[1]).toBe(1 + (parts[0]?.size ?? 0));
  const again = parts.flatMap((part) => (JSON.parse(part.text) as { objects: unknown[] }).objects);
  expect(again).toEqual(objects);
  expect(() => partsOf('STIX', '{"type":"bundle"}')).toThrow('no objects');
});

test('the format is told by how a file begins', () => {
  expect(formatOf(' {"type":"bundle"}')).toBe('STIX');
  expect(formatOf('[{"type":"indicator"}]')).toBe('STIX');
  expect(formatOf('ip,comment\n')).toBe('CSV');
});

test('a preview shows the columns', () => {
  expect(previewOf('# a list\n# "first_seen","ioc"\n2026-05-01,203.0.113.7\n')).toEqual([
    ['first_seen', 'ioc'],
    ['2026-05-01', '203.0.113.7'],
  ]);
  expect(previewOf('type;value\nip;"a;b"\n')[1]).toEqual(['ip', 'a;b']);
});
