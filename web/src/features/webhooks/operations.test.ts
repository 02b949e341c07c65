import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { buildSchema, parse, validate } from 'graphql';
import { describe, expect, it } from 'vitest';
import { firstOperations, variablesProblem } from './operations';

const schema = buildSchema(readFileSync(resolve(import.meta.dirname, '../../../../schema.graphqls'), 'utf8'), {
  assumeValidSDL: true,
});

describe('first operations', () => {
  it.each(firstOperations)('$id fits the schema', ({ document, variables }) => {
    expect(validate(schema, parse(document))).toEqual([]);
    expect(variablesProblem(variables)).toBeNull();
  });
});

describe('variables', () => {
  it.each(['', '{', '[]', 'null', '1'])('%s are none', (text) => {
    expect(variablesProblem(text)).not.toBeNull();
  });
});
