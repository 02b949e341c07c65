import { describe, expect, it } from 'vitest';
import { apiFilter, mappingOf, readSearch } from './filters';

describe('filters of dead letters', () => {
  it('reads what the URL says, and leaves out what it cannot', () => {
    expect(readSearch({ q: 12, state: 'waiting', code: 'nonsense', source: '', letter: 'l1' })).toEqual({
      q: '12',
      state: 'waiting',
      letter: 'l1',
    });
  });

  it('asks the API for them', () => {
    expect(apiFilter({ q: 'door', state: 'failed', code: 'mapping_failed', source: 's1', letter: 'l1' })).toEqual({
      text: 'door',
      state: 'FAILED',
      code: 'MAPPING_FAILED',
      source: 's1',
    });
    expect(apiFilter({ letter: 'l1' })).toEqual({});
  });
});

describe('the mapping that refused a record', () => {
  it.each([
    ['MAPPING_FAILED', 'the mapping gate.v2 requires host, and at node stands none', 'gate.v2'],
    ['MAPPING_FAILED', 'something else', null],
    ['MALFORMED_JSON', 'the mapping gate requires host', null],
  ])('%s: %s', (code, message, name) => {
    expect(mappingOf({ code, message })).toBe(name);
  });
});
