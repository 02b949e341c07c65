// The tactics of ATT&CK in a row each: the more alerts, the stronger.
import { useQuery } from '@apollo/client/react';
import { Skeleton } from '../../ui/States';
import { OverviewCoverageDocument } from './Overview.generated';

export function HeatStrip({ since }: { since: string }) {
  const { data, previousData } = useQuery(OverviewCoverageDocument, { variables: { since } });
  const tactics = (data ?? previousData)?.attackCoverage.tactics;
  if (!tactics) return <Skeleton className="h-48" />;
  const counted = tactics.map((tactic) => ({
    ...tactic,
    alerts: tactic.techniques.reduce((sum, t) => sum + t.alerts, 0),
    covered: tactic.techniques.filter((t) => t.enabled > 0).length,
  }));
  const most = Math.max(1, ...counted.map((t) => t.alerts));
  return (
    <ul className="space-y-px text-xs">
      {counted.map((tactic) => (
        <li key={tactic.id} className="flex h-5 items-center gap-2">
          <span
            aria-hidden
            className="h-3.5 w-10 shrink-0 rounded-sm bg-high"
            style={{ opacity: tactic.alerts ? 0.15 + 0.85 * Math.sqrt(tactic.alerts / most) : 0.06 }}
          />
          <span className="truncate">{tactic.name}</span>
          <span className="ml-auto shrink-0 text-muted tabular-nums">
            {tactic.alerts.toLocaleString('en')}
            <span className="sr-only"> alerts, {tactic.covered} techniques watched</span>
          </span>
        </li>
      ))}
    </ul>
  );
}
