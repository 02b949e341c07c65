// What an operation will cost, counted as the server counts it (package limit,
// docs/limits.md): the schema's @cost, which introspection does not tell, is read
// from schema.graphqls. A test holds both to the same figures.
import {
  type ArgumentNode,
  type DirectiveNode,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isAbstractType,
  isInterfaceType,
  isLeafType,
  isListType,
  isObjectType,
  type OperationDefinitionNode,
  type SelectionSetNode,
  valueFromASTUntyped,
} from 'graphql';

const objectWeight = 1;
const mutationWeight = 10;
const listSize = 10;
const introspectionWeight = 500;
/** Counting ends here, as on the server. */
const ceiling = 2 ** 40;

interface Rule {
  weight: number;
  /** The argument that says how many items there are. */
  multiplier: string | null;
  size: number;
  list: boolean;
  std: number | null;
}

/** Once, and for each item of the list that the field around it stands for. */
interface Amount {
  once: number;
  each: number;
}

const cap = (n: number) => Math.min(n, ceiling);
const nothing: Amount = { once: 0, each: 0 };
const of = (amount: Amount, items: number) => cap(amount.once + items * amount.each);

export type Variables = Readonly<Record<string, unknown>>;

/** Points of an operation that fits the schema; with variables it did not get, their defaults. */
export function costOf(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  given: Variables,
): number {
  const variables: Record<string, unknown> = {};
  for (const { variable, defaultValue } of operation.variableDefinitions ?? []) {
    const name = variable.name.value;
    variables[name] = name in given ? given[name] : defaultValue && valueFromASTUntyped(defaultValue);
  }
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const each of document.definitions) {
    if (each.kind === 'FragmentDefinition') fragments.set(each.name.value, each);
  }
  const known = new Map<string, Amount>();
  const root = {
    query: schema.getQueryType(),
    mutation: schema.getMutationType(),
    subscription: schema.getSubscriptionType(),
  }[operation.operation];

  const included = (directives: readonly DirectiveNode[] | undefined): boolean => {
    const says = (name: string): unknown => {
      const argument = directives?.find((d) => d.name.value === name)?.arguments?.find((a) => a.name.value === 'if');
      return argument && valueFromASTUntyped(argument.value, variables);
    };
    return says('skip') !== true && says('include') !== false;
  };

  const set = (selections: SelectionSetNode | undefined, parent: GraphQLNamedType | null | undefined): Amount => {
    let { once, each } = nothing;
    for (const s of selections?.selections ?? []) {
      if (!included(s.directives)) continue;
      let part = nothing;
      if (s.kind === 'Field') part = field(s, parent);
      else if (s.kind === 'InlineFragment') {
        part = set(s.selectionSet, s.typeCondition ? schema.getType(s.typeCondition.name.value) : parent);
      } else part = fragment(s.name.value);
      once = cap(once + part.once);
      each = cap(each + part.each);
    }
    return { once, each };
  };

  const fragment = (name: string): Amount => {
    const found = fragments.get(name);
    if (known.has(name) || !found) return known.get(name) ?? nothing;
    known.set(name, nothing);
    const sum = set(found.selectionSet, schema.getType(found.typeCondition.name.value));
    known.set(name, sum);
    return sum;
  };

  const field = (node: FieldNode, parent: GraphQLNamedType | null | undefined): Amount => {
    const name = node.name.value;
    if (name.startsWith('__')) return name === '__typename' ? nothing : { once: introspectionWeight, each: 0 };
    const definition = isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[name] : undefined;
    const rule = definition ? ruleOf(definition, parent === schema.getMutationType()) : unknownField;
    const inner = set(node.selectionSet, definition && getNamedType(definition.type));
    const items = itemsOf(rule, node.arguments, variables);
    if (!rule.list) return { once: cap(rule.weight + of(inner, items ?? listSize)), each: 0 };
    const one = cap(rule.weight + of(inner, listSize));
    return items === null ? { once: 0, each: one } : { once: cap(items * one), each: 0 };
  };

  return Math.max(1, of(set(operation.selectionSet, root), listSize));
}

const unknownField: Rule = { weight: objectWeight, multiplier: null, size: 0, list: false, std: null };

function ruleOf(definition: GraphQLField<unknown, unknown>, mutation: boolean): Rule {
  const named = getNamedType(definition.type);
  const rule: Rule = {
    ...unknownField,
    list: isListType(getNullableType(definition.type)),
    weight: mutation ? mutationWeight : isLeafType(named) && !isAbstractType(named) ? 0 : objectWeight,
    multiplier: ['first', 'last'].find((name) => definition.args.some((a) => a.name === name)) ?? null,
  };
  for (const argument of definition.astNode?.directives?.find((d) => d.name.value === 'cost')?.arguments ?? []) {
    const value = valueFromASTUntyped(argument.value);
    if (argument.name.value === 'weight') rule.weight = Number(value);
    if (argument.name.value === 'size') rule.size = Number(value);
    if (argument.name.value === 'multiplier') rule.multiplier = String(value);
  }
  const std = definition.args.find((a) => a.name === rule.multiplier)?.defaultValue;
  if (typeof std === 'number') rule.std = std;
  return rule;
}

/** How many items a field gives at most; null where only the field around it knows. */
function itemsOf(rule: Rule, given: readonly ArgumentNode[] | undefined, variables: Variables): number | null {
  if (!rule.multiplier) return rule.size > 0 ? rule.size : null;
  const argument = given?.find((a) => a.name.value === rule.multiplier);
  const value = argument && valueFromASTUntyped(argument.value, variables);
  if (typeof value === 'number') return Math.min(Math.max(Math.trunc(value), 1), ceiling);
  if (rule.std !== null) return rule.std;
  return rule.size > 0 ? rule.size : listSize;
}
