import { expect, test } from 'vitest';
import { flatten } from './flatten';

test('leaves have paths as query lines name them', () => {
  const record = {
    EventID: 1,
    EventData: { Image: 'C:\\x.exe', 'Odd name': 'y', Elevated: false, Empty: null },
    ips: ['10.0.0.1', { v6: '::1' }],
  };
  expect(flatten(record)).toEqual([
    { path: 'EventID', value: '1', asks: true },
    { path: 'EventData.Image', value: 'C:\\x.exe', asks: true },
    { path: 'EventData.Odd name', value: 'y', asks: false },
    { path: 'EventData.Elevated', value: 'false', asks: true },
    { path: 'ips[0]', value: '10.0.0.1', asks: false },
    { path: 'ips[1].v6', value: '::1', asks: false },
  ]);
  expect(flatten('a line of text')).toEqual([{ path: '', value: 'a line of text', asks: false }]);
});

test('a huge record gives a bounded list', () => {
  expect(flatten(Object.fromEntries(Array.from({ length: 2_000 }, (_, i) => [`f${i}`, i])))).toHaveLength(500);
});
