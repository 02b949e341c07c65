import { Link } from '@tanstack/react-router';
import { legible } from '../../ui/legible';

/** Which filters in force took part: what they take away fires nowhere. */
export function AppliedFilters({ filters }: { filters: readonly { id: string; title: string }[] }) {
  if (filters.length === 0) return null;
  return (
    <p className="text-muted">
      With {filters.length === 1 ? 'the filter' : `${filters.length} filters`} in force:{' '}
      {filters.map(({ id, title }, i) => (
        <span key={id}>
          {i > 0 && ', '}
          <Link to="/rules" search={{ rule: id }} className="underline underline-offset-2">
            {legible(title)}
          </Link>
        </span>
      ))}
    </p>
  );
}
