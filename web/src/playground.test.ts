import { readFileSync } from 'node:fs';
import { buildSchema, type OperationDefinitionNode, parse, print, validate } from 'graphql';
import { describe, expect, test, vi } from 'vitest';
import { costOf } from '../playground/cost';
import { examples, grouped } from '../playground/examples';
import { asWritten } from '../playground/fetcher';
import { snippets } from '../playground/snippets';

const schema = buildSchema(readFileSync('../schema.graphqls', 'utf8'));
const costs: Record<string, number> = JSON.parse(readFileSync('playground/examples/costs.json', 'utf8'));

const operationOf = (query: string) => {
  const document = parse(query);
  const operation = document.definitions.find((d): d is OperationDefinitionNode => d.kind === 'OperationDefinition');
  if (!operation) throw new Error('no operation');
  return { document, operation };
};
const cost = (query: string, variables = {}) => {
  const { document, operation } = operationOf(query);
  return costOf(schema, document, operation, variables);
};

describe.each(examples)('$file', ({ file, group, title, query }) => {
  test('is one of a group and fits the schema', () => {
    expect(group && title).toBeTruthy();
    expect(validate(schema, parse(query))).toEqual([]);
  });
  test('costs what the server says', () => expect(cost(query)).toBe(costs[file]));
});

test('all files are read, in their groups', () => {
  expect(examples.map((e) => e.file)).toEqual(Object.keys(costs).sort());
  expect(grouped().map(([group]) => group)).toEqual([...new Set(examples.map((e) => e.group))]);
});

// The figures are those of limit/cost_test.go's rules.
test.each([
  ['{ __typename }', {}, 1],
  ['{ __schema { queryType { name } } }', {}, 500],
  ['query($n: Int!) { rules(first: $n) { nodes { id } } }', { n: 7 }, 8],
  ['query($n: Int! = 9) { rules(first: $n) { nodes { id } } }', {}, 10],
  ['{ rules(first: 5) { nodes @skip(if: true) { id } } }', {}, 1],
  ['query($y: Boolean!) { rules(first: 5) { nodes @include(if: $y) { id } } }', { y: false }, 1],
  ['{ ...F ...F } fragment F on Query { rules(first: 5) { nodes { id } } }', {}, 12],
  ['mutation { sessionLogout { errors { code } } }', {}, 20],
])('%s costs what docs/limits.md says', (query, variables, want) => expect(cost(query, variables)).toBe(want));

test('snippets hold the operation and never a token', () => {
  const query = 'subscription Live { alertFeed { cursor } }';
  const all = snippets({
    origin: 'https://monitor.example.com',
    query,
    variables: { a: "it's" },
    operation: 'subscription',
  });
  expect(all.map((s) => s.name)).toEqual(['curl', 'TypeScript', 'Go', 'secmon tail']);
  for (const { text } of all) {
    expect(text).toContain('alertFeed');
    expect(text).toContain('SECMON_TOKEN');
  }
  expect(all[0]?.text).toContain(`it'\\''s`);
  expect(snippets({ origin: '', query: '{ a }', variables: {}, operation: 'query' }).map((s) => s.name)).toEqual([
    'curl',
    'TypeScript',
    'Go',
  ]);
});

describe('what is run is what stands in the editor, also when GraphiQL has not read it yet', () => {
  const sent = (
    query: string,
    operationName: string | null | undefined,
    read = 'query OpenAlerts { viewer { id } }',
  ) => {
    const inner = vi.fn();
    asWritten(inner)({ query, operationName }, { documentAST: parse(read) });
    const [params, options] = inner.mock.calls[0] ?? [];
    return { name: params.operationName, kind: operationOf(print(options.documentAST)).operation.operation };
  };
  test('the former name is not sent', () =>
    expect(sent('query Common { viewer { id } }', 'OpenAlerts')).toEqual({ name: 'Common', kind: 'query' }));
  test('nor any where there is none', () =>
    expect(sent('{ viewer { id } }', 'OpenAlerts')).toEqual({ name: undefined, kind: 'query' }));
  test('a feed goes out as one', () =>
    expect(sent('subscription Live { alerts { cursor } }', 'OpenAlerts')).toEqual({
      name: 'Live',
      kind: 'subscription',
    }));
  test('the one of several that was chosen stays so', () =>
    expect(sent('query A { viewer { id } } query B { viewer { id } }', 'B').name).toBe('B'));
  test('what cannot be read goes as it is, for the server to say why', () =>
    expect(sent('query {', 'OpenAlerts').name).toBe('OpenAlerts'));
});
