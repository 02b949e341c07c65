import type { EntityKind } from '../../gql/schema';

export const entityKinds: readonly EntityKind[] = ['HOST', 'USER', 'ADDRESS', 'HASH'];

export const entityLabel: Record<EntityKind, string> = {
  HOST: 'Host',
  USER: 'User',
  ADDRESS: 'Address',
  HASH: 'File hash',
};
