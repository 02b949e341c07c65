import type { ChannelKind } from '../../gql/schema';
import { kinds } from './kinds';

/** A kind by its picture and its word. */
export function KindName({ kind }: { kind: ChannelKind }) {
  const { icon: Icon, label } = kinds[kind];
  return (
    <span className="inline-flex min-w-0 items-center gap-1.5">
      <Icon size={14} aria-hidden className="shrink-0 text-muted" />
      <span className="truncate">{label}</span>
    </span>
  );
}
