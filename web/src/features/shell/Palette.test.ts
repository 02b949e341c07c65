import { describe, expect, test } from 'vitest';
import { choicesFor } from './Palette';

const first = (text: string, admin = false) => choicesFor(text, admin)[0];

describe('the palette', () => {
  test('an address and a hash are looked at first', () => {
    expect(first('10.0.0.7')).toMatchObject({ to: '/entity', search: { kind: 'address', value: '10.0.0.7' } });
    expect(first('fe80::1')).toMatchObject({ search: { kind: 'address' } });
    expect(first('d41d8cd98f00b204e9800998ecf8427e')).toMatchObject({ search: { kind: 'hash' } });
  });
  test('words find pages before they are searched', () => {
    expect(first('inci')?.to).toBe('/incidents');
    expect(choicesFor('ws-01', false).map((c) => c.search?.kind ?? c.to)).toEqual([
      'host',
      'user',
      '/alerts',
      '/events',
      '/rules',
    ]);
  });
  test('parts of pages are found by name, for those who may see them', () => {
    expect(first('archive', true)).toMatchObject({ to: '/settings', search: { section: 'retention' } });
    expect(choicesFor('archive', false).some((c) => c.to === '/settings')).toBe(false);
  });
  test('the audit log is for administrators', () => {
    expect(choicesFor('audit', false).some((c) => c.to === '/audit')).toBe(false);
    expect(first('audit', true)?.to).toBe('/audit');
  });
});
