import { Link } from '@tanstack/react-router';
import type { EntityKind } from '../../gql/schema';
import { legible } from '../../ui/legible';
import { entityLabel } from './entity';

/** The value, as a way to all that is known of it. */
export function EntityLink({ kind, value }: { kind: EntityKind; value: string }) {
  if (!value) return null;
  return (
    <Link
      to="/entity"
      search={{ kind: kind.toLowerCase(), value }}
      title={`All about this ${entityLabel[kind].toLowerCase()}`}
      className="break-all underline decoration-line-strong underline-offset-2 hover:text-accent"
    >
      {legible(value)}
    </Link>
  );
}
