// The tactics of ATT&CK in their order, side by side: the more alerts, the stronger.
import { useQuery } from '@apollo/client/react';
import { Link } from '@tanstack/react-router';
import { ErrorState, Skeleton } from '../../ui/States';
import { OverviewCoverageDocument } from './Overview.generated';

/** `range` is the stretch as it stands in the URL, for the matrix behind a cell. */
export function HeatStrip({ since, range }: { since: string; range: string | undefined }) {
  const { data, previousData, error, refetch } = useQuery(OverviewCoverageDocument, { variables: { since } });
  const tactics = (data ?? previousData)?.attackCoverage.tactics;
  if (!tactics) {
    return error ? (
      <ErrorState
        title="The techniques cannot be loaded"
        error={error}
        onRetry={() => void refetch().catch(() => undefined)}
      />
    ) : (
      <Skeleton className="h-20" />
    );
  }
  const counted = tactics.map((tactic) => ({
    ...tactic,
    alerts: tactic.techniques.reduce((sum, t) => sum + t.alerts, 0),
    covered: tactic.techniques.filter((t) => t.enabled > 0).length,
  }));
  const most = Math.max(1, ...counted.map((t) => t.alerts));
  return (
    <ul className="grid grid-cols-2 gap-1 text-2xs sm:grid-cols-4 lg:grid-cols-7 2xl:grid-cols-14">
      {counted.map((tactic) => (
        <li key={tactic.id} className="min-w-0">
          <Link
            to="/attack"
            search={range ? { since: range } : {}}
            title={`${tactic.name}: ${tactic.alerts} alerts; rules that run watch ${tactic.covered} of ${tactic.techniques.length} techniques`}
            className="relative flex h-16 flex-col justify-between overflow-hidden rounded-md border border-line px-2 py-1.5 hover:border-line-strong"
          >
            <span
              aria-hidden
              className="absolute inset-0 bg-high-soft"
              style={{ opacity: tactic.alerts ? 0.3 + 0.7 * Math.sqrt(tactic.alerts / most) : 0 }}
            />
            <span
              aria-hidden
              className="absolute inset-x-0 bottom-0 bg-high"
              style={{ height: tactic.alerts ? 2 + 4 * Math.sqrt(tactic.alerts / most) : 0 }}
            />
            <span className="relative line-clamp-2 leading-3.5">{tactic.name}</span>
            <span className="relative flex items-baseline justify-between gap-1 pb-1 tabular-nums">
              <span className={tactic.alerts ? 'text-sm font-semibold' : 'text-sm text-faint'}>
                {tactic.alerts.toLocaleString('en')}
                <span className="sr-only"> alerts,</span>
              </span>
              <span className="text-muted">
                {tactic.covered}/{tactic.techniques.length}
                <span className="sr-only"> techniques watched</span>
              </span>
            </span>
          </Link>
        </li>
      ))}
    </ul>
  );
}
