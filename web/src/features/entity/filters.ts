// Which entity, as it stands in the URL.
import type { EntityKind } from '../../gql/schema';
import { entityKinds } from '../../nouns/entity/entity';

export interface EntitySearch {
  /** "host". */
  kind: string;
  value: string;
}

export function readSearch(raw: Record<string, unknown>): EntitySearch {
  const kind = String(raw.kind ?? '').toUpperCase();
  return {
    kind: (entityKinds.find((k) => k === kind) ?? 'HOST').toLowerCase(),
    value: String(raw.value ?? '').slice(0, 500),
  };
}

export function kindOf(search: EntitySearch): EntityKind {
  return search.kind.toUpperCase() as EntityKind;
}
