import { useQuery } from '@apollo/client/react';
import { Link } from '@tanstack/react-router';
import { alertsText } from '../../nouns/alert/alertsText';
import { SeverityBadge } from '../../nouns/severity/SeverityBadge';
import { Time } from '../../nouns/time/Time';
import { legible } from '../../ui/legible';
import { Section } from '../../ui/Section';
import { Side } from '../../ui/Side';
import { ErrorState, Skeleton } from '../../ui/States';
import { AttackTechniqueDocument } from './Attack.generated';

interface TechniquePanelProps {
  id: string;
  coverage?: {
    name: string;
    rules: number;
    enabled: number;
    alerts: number;
    subtechniques: readonly { id: string; rules: number; enabled: number; alerts: number }[];
  };
  since: string;
  onDismiss(): void;
}

/** A technique: its rules, its sub-techniques, its latest alerts. */
export function TechniquePanel({ id, coverage, since, onDismiss }: TechniquePanelProps) {
  const ids = [id, ...(coverage?.subtechniques.map((sub) => sub.id) ?? [])];
  const { data, error, refetch } = useQuery(AttackTechniqueDocument, {
    variables: {
      rules: { techniques: { hasAny: ids }, kind: { in: ['DETECTION', 'CORRELATION'] } },
      alerts: { techniques: { hasAny: ids }, lastSeen: { gte: `now-${since}` } },
    },
  });
  return (
    <Side label="Technique" onDismiss={onDismiss}>
      <div className="space-y-5">
        <div>
          <h3 className="text-lg font-semibold">{coverage?.name || id}</h3>
          <p className="text-xs text-muted">
            <span className="font-mono">{id}</span>
            {coverage && ` · ${coverage.enabled} of ${coverage.rules} rules run · ${alertsText(coverage.alerts)}`}
          </p>
        </div>
        {coverage && coverage.subtechniques.length > 0 && (
          <Section title="Sub-techniques">
            <ul className="space-y-0.5">
              {coverage.subtechniques.map((sub) => (
                <li key={sub.id} className="flex gap-3 text-sm tabular-nums">
                  <Link
                    to="/rules"
                    search={{ q: `technique:${sub.id}` }}
                    className="inline-flex h-6 items-center font-mono text-accent underline underline-offset-2"
                  >
                    {sub.id}
                  </Link>
                  <span className="text-muted">
                    {sub.enabled} of {sub.rules} rules run
                  </span>
                  <span className="ml-auto">{alertsText(sub.alerts)}</span>
                </li>
              ))}
            </ul>
          </Section>
        )}
        {error && !data ? (
          <ErrorState
            title="The rules cannot be loaded"
            error={error}
            onRetry={() => void refetch().catch(() => undefined)}
          />
        ) : !data ? (
          <Skeleton className="h-48" />
        ) : (
          <>
            <Section title="Latest alerts">
              {data.alerts.nodes.length === 0 && <p className="text-muted">None in this time.</p>}
              <ul className="space-y-1">
                {data.alerts.nodes.map((alert) => (
                  <li key={alert.id} className="flex items-center gap-2">
                    <SeverityBadge severity={alert.severity} />
                    <Link
                      to="/alerts"
                      search={{ alert: alert.id, status: 'all' }}
                      className="min-w-0 grow truncate hover:underline"
                    >
                      {legible(alert.title)}
                    </Link>
                    <span className="shrink-0 text-xs text-muted">{legible(alert.host)}</span>
                    <span className="w-16 shrink-0 text-right text-xs text-muted">
                      <Time at={alert.lastSeen} />
                    </span>
                  </li>
                ))}
              </ul>
            </Section>
            <Section title={`Rules (${data.rules.totalCount})`}>
              {data.rules.nodes.length === 0 && (
                <p className="text-muted">No rule looks for it. Import a Sigma archive, or write one.</p>
              )}
              <ul className="space-y-1">
                {data.rules.nodes.map((rule) => (
                  <li key={rule.id} className="flex items-center gap-2">
                    <SeverityBadge severity={rule.level} />
                    <Link to="/rules" search={{ rule: rule.id }} className="min-w-0 grow truncate hover:underline">
                      {legible(rule.title)}
                    </Link>
                    {rule.kind === 'CORRELATION' && <span className="shrink-0 text-xs text-muted">correlation</span>}
                    {(!rule.enabled || rule.state !== 'ACTIVE') && (
                      <span className="shrink-0 text-xs text-muted">
                        {rule.enabled ? rule.state.toLowerCase() : 'disabled'}
                      </span>
                    )}
                  </li>
                ))}
              </ul>
            </Section>
          </>
        )}
      </div>
    </Side>
  );
}
