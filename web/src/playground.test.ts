import { readFileSync } from 'node:fs';
import { buildSchema, parse, validate } from 'graphql';
import { expect, test } from 'vitest';
import { examples } from '../playground/examples';

const schema = buildSchema(readFileSync('../schema.graphqls', 'utf8'));

test.each(examples)('the playground opens with what the schema knows: $query', ({ query }) => {
  expect(validate(schema, parse(query))).toEqual([]);
});
