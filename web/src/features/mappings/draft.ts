// A mapping while it is written: rows as they stand in the form, empty ones too.
import type { EventClass, MappingRulesInput, MappingTarget, Severity } from '../../gql/schema';
import type { MappingFactsFragment } from './Mappings.generated';

/** The targets with their names, in the order of the form. */
export const targets: readonly (readonly [MappingTarget, string])[] = [
  ['TIME', 'Time'],
  ['HOST', 'Host'],
  ['USER', 'User'],
  ['ACTION', 'Action'],
  ['MESSAGE', 'Message'],
  ['SEVERITY', 'Severity'],
  ['SOURCE_IP', 'Source address'],
  ['SOURCE_PORT', 'Source port'],
  ['DESTINATION_IP', 'Destination address'],
  ['DESTINATION_PORT', 'Destination port'],
  ['PROCESS', 'Process'],
  ['COMMAND', 'Command line'],
  ['FILE_PATH', 'File path'],
  ['FILE_HASH', 'File hash'],
  ['DOMAIN', 'Domain'],
  ['URL', 'URL'],
];

/** Rows have a key of their own: they come and go. */
export interface TestRow {
  key: number;
  path: string;
  /** Empty: that there is a value. */
  equals: string;
}
export interface FieldRow {
  key: number;
  target: MappingTarget;
  path: string;
  required: boolean;
}
export interface SeverityRow {
  key: number;
  value: string;
  severity: Severity;
}
export interface RenameRow {
  key: number;
  from: string;
  to: string;
}

export interface Draft {
  name: string;
  enabled: boolean;
  tests: readonly TestRow[];
  product: string;
  category: string;
  service: string;
  /** Empty: as found. */
  class: EventClass | '';
  fields: readonly FieldRow[];
  severities: readonly SeverityRow[];
  renames: readonly RenameRow[];
  signatureHeader: string;
  /** Empty: as it is. */
  secret: string;
}

export const empty: Draft = {
  name: '',
  enabled: true,
  tests: [],
  product: '',
  category: '',
  service: '',
  class: '',
  fields: [],
  severities: [],
  renames: [],
  signatureHeader: '',
  secret: '',
};

/** The mapping as the form shows it; the secret is never known. */
export function draftOf(mapping: MappingFactsFragment): Draft {
  return {
    name: mapping.name,
    enabled: mapping.enabled,
    tests: mapping.tests.map(({ path, equals }) => ({ key: nextKey(), path, equals: equals ?? '' })),
    product: mapping.product,
    category: mapping.category,
    service: mapping.service,
    class: mapping.class ?? '',
    fields: mapping.fields.map(({ target, path, required }) => ({ key: nextKey(), target, path, required })),
    severities: mapping.severities.map(({ value, severity }) => ({ key: nextKey(), value, severity })),
    renames: mapping.renames.map(({ from, to }) => ({ key: nextKey(), from, to })),
    signatureHeader: mapping.signatureHeader,
    secret: '',
  };
}

/** What the draft does, as the API takes it; rows that are not filled in are left out. */
export function rulesOf(draft: Draft): MappingRulesInput {
  const t = (text: string) => text.trim();
  return {
    tests: draft.tests
      .filter(({ path }) => t(path))
      .map(({ path, equals }) => ({ path: t(path), ...(equals !== '' && { equals }) })),
    product: t(draft.product),
    category: t(draft.category),
    service: t(draft.service),
    ...(draft.class && { class: draft.class }),
    fields: draft.fields
      .filter(({ path }) => t(path))
      .map(({ target, path, required }) => ({ target, path: t(path), required })),
    severities: draft.severities
      .filter(({ value }) => t(value))
      .map(({ value, severity }) => ({ value: t(value), severity })),
    renames: draft.renames
      .filter(({ from, to }) => t(from) && t(to))
      .map(({ from, to }) => ({ from: t(from), to: t(to) })),
  };
}

/** Why it cannot be stored; null where it can. `signed`: a secret is stored already. */
export function problemOf(draft: Draft, signed: boolean): string | null {
  if (!/^[a-z0-9][a-z0-9._-]{0,27}$/.test(draft.name)) {
    return 'A name has 1 to 28 of a–z, 0–9, dot, dash and underscore, a letter or digit first.';
  }
  const seen = new Set<MappingTarget>();
  for (const { target, path } of draft.fields) {
    if (!path.trim()) continue;
    if (seen.has(target)) return `${targetLabel(target)} stands twice.`;
    seen.add(target);
  }
  if (draft.signatureHeader.trim() && !draft.secret && !signed) return 'A signature needs its secret.';
  if (draft.secret && !draft.signatureHeader.trim()) return 'A secret needs the header of its signature.';
  return null;
}

export function targetLabel(target: MappingTarget): string {
  return targets.find(([each]) => each === target)?.[1] ?? target;
}

/** Says what the value at a path is; null: nothing. A target stands once, and a path is one thing. */
export function assign(draft: Draft, path: string, target: MappingTarget | null): Draft {
  if (!target) return { ...draft, fields: draft.fields.filter((field) => field.path !== path) };
  const before = draft.fields.find((field) => field.target === target);
  const field = before ? { ...before, path } : { key: nextKey(), target, path, required: false };
  const others = draft.fields.filter((each) => each === before || (each.path !== path && each.target !== target));
  return {
    ...draft,
    fields: before ? others.map((each) => (each === before ? field : each)) : [...others, field],
  };
}

/** A target that no row has yet. */
export function freeTarget(fields: readonly FieldRow[]): MappingTarget {
  const used = new Set(fields.map(({ target }) => target));
  return targets.find(([target]) => !used.has(target))?.[0] ?? 'MESSAGE';
}

let lastKey = 0;

export function nextKey(): number {
  return ++lastKey;
}
