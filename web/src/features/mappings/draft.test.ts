import { describe, expect, it } from 'vitest';
import { assign, type Draft, draftOf, empty, freeTarget, problemOf, rulesOf, targets } from './draft';
import type { MappingFactsFragment } from './Mappings.generated';

const stored: MappingFactsFragment = {
  __typename: 'Mapping',
  id: 'm1',
  version: 3,
  name: 'gate',
  enabled: true,
  tests: [
    { __typename: 'MappingTest', path: 'node', equals: null },
    { __typename: 'MappingTest', path: 'kind', equals: 'door' },
  ],
  product: 'gatekeeper',
  category: '',
  service: 'doors',
  class: null,
  fields: [{ __typename: 'MappingField', target: 'HOST', path: 'node', required: true }],
  severities: [{ __typename: 'MappingSeverity', value: 'bad', severity: 'HIGH' }],
  renames: [{ __typename: 'MappingRename', from: 'who', to: 'User' }],
  signatureHeader: '',
  signed: false,
  webhookPath: '/api/ingest/webhook/gate',
  createdBy: { __typename: 'Actor', kind: 'USER', name: 'admin', user: null },
  createdAt: '2026-05-04T09:30:00Z',
  updatedAt: '2026-05-04T09:30:00Z',
};

describe('a draft', () => {
  it('says of a stored mapping what the mapping says', () => {
    expect(rulesOf(draftOf(stored))).toEqual({
      tests: [{ path: 'node' }, { path: 'kind', equals: 'door' }],
      product: 'gatekeeper',
      category: '',
      service: 'doors',
      fields: [{ target: 'HOST', path: 'node', required: true }],
      severities: [{ value: 'bad', severity: 'HIGH' }],
      renames: [{ from: 'who', to: 'User' }],
    });
  });

  it('leaves out rows that are not filled in, and blanks around', () => {
    const draft: Draft = {
      ...empty,
      tests: [{ key: 1, path: ' ', equals: 'x' }],
      fields: [
        { key: 2, target: 'HOST', path: ' node ', required: false },
        { key: 3, target: 'USER', path: '', required: true },
      ],
      renames: [{ key: 4, from: 'who', to: '' }],
    };
    expect(rulesOf(draft)).toMatchObject({
      tests: [],
      fields: [{ target: 'HOST', path: 'node', required: false }],
      renames: [],
    });
  });
});

describe('what stands against storing', () => {
  const gate: Draft = { ...empty, name: 'gate' };
  const host = { target: 'HOST' as const, required: false };
  it.each<[string, Draft, boolean, RegExp | null]>([
    ['nothing', gate, false, null],
    ['no name', empty, false, /name/],
    ['a capital', { ...gate, name: 'Gate' }, false, /name/],
    ['a name of 29', { ...gate, name: 'a'.repeat(29) }, false, /name/],
    [
      'a target that stands twice',
      {
        ...gate,
        fields: [
          { key: 1, ...host, path: 'a' },
          { key: 2, ...host, path: 'b' },
        ],
      },
      false,
      /Host stands twice/,
    ],
    [
      'a second row that is empty is none',
      {
        ...gate,
        fields: [
          { key: 1, ...host, path: 'a' },
          { key: 2, ...host, path: '' },
        ],
      },
      false,
      null,
    ],
    ['a signature without a secret', { ...gate, signatureHeader: 'X-Signature' }, false, /secret/],
    ['a signature whose secret is stored', { ...gate, signatureHeader: 'X-Signature' }, true, null],
    ['a secret without a header', { ...gate, secret: 's' }, false, /header/],
  ])('%s', (_, draft, signed, told) => {
    const problem = problemOf(draft, signed);
    if (told) expect(problem).toMatch(told);
    else expect(problem).toBeNull();
  });
});

describe('saying what a value is', () => {
  it('gives a target one path and a path one target', () => {
    let draft = assign(empty, 'node', 'HOST');
    draft = { ...draft, fields: draft.fields.map((field) => ({ ...field, required: true })) };
    draft = assign(draft, 'who', 'USER');
    draft = assign(draft, 'machine', 'HOST');
    expect(rulesOf(draft).fields).toEqual([
      { target: 'HOST', path: 'machine', required: true },
      { target: 'USER', path: 'who', required: false },
    ]);
    draft = assign(draft, 'who', 'HOST');
    expect(rulesOf(draft).fields).toEqual([{ target: 'HOST', path: 'who', required: true }]);
    expect(rulesOf(assign(draft, 'who', null)).fields).toEqual([]);
  });

  it('offers a new row what none has', () => {
    expect(freeTarget([])).toBe('TIME');
    expect(freeTarget([{ key: 1, target: 'TIME', path: 't', required: false }])).toBe('HOST');
    expect(targets).toHaveLength(16);
  });
});
