// Around the alert: its incident, how common it is, alerts like it, and the
// processes of its event.
import { useQuery } from '@apollo/client/react';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { SimilarityReason } from '../../gql/schema';
import { statusLook } from '../../nouns/alert/alert';
import { ProcessTree } from '../../nouns/process/ProcessTree';
import { SeverityBadge } from '../../nouns/severity/SeverityBadge';
import { Time } from '../../nouns/time/Time';
import { legible } from '../../ui/legible';
import { Section } from '../../ui/Section';
import { ErrorState, Skeleton } from '../../ui/States';
import { AlertRelatedDocument } from './AlertRelated.generated';

const reasonLabel: Record<SimilarityReason, string> = {
  SAME_RULE: 'rule',
  SAME_HOST: 'host',
  SAME_USER: 'user',
  SAME_SOURCE: 'source',
  SAME_FILE_HASH: 'file hash',
  SAME_PROCESS: 'process',
  SAME_TECHNIQUE: 'technique',
};

interface AlertRelatedProps {
  id: string;
  /** What stands first. */
  children?: ReactNode;
  onOpen(id: string): void;
}

export function AlertRelated({ id, children, onOpen }: AlertRelatedProps) {
  const { data, error, refetch } = useQuery(AlertRelatedDocument, { variables: { id } });
  const alert = data?.alert;
  if (!alert) {
    return error ? (
      <ErrorState
        title="What is around the alert cannot be loaded"
        error={error}
        onRetry={() => void refetch().catch(() => undefined)}
      />
    ) : (
      <Skeleton className="h-64" />
    );
  }
  const { prevalence } = alert;
  const event = alert.latest.nodes[0]?.event;
  return (
    <div className="space-y-5">
      {children}
      {alert.incident && (
        <Section title="Incident">
          <Link
            to="/incidents/$id"
            params={{ id: alert.incident.id }}
            className="font-medium text-accent underline underline-offset-2"
          >
            {legible(alert.incident.title)}
          </Link>
        </Section>
      )}
      <Section title="How common the rule is">
        <p>
          {prevalence.alerts.toLocaleString('en')}
          {prevalence.isEstimate && '+'} {prevalence.alerts === 1 ? 'alert' : 'alerts'} in thirty days, on{' '}
          {prevalence.hosts.toLocaleString('en')} {prevalence.hosts === 1 ? 'host' : 'hosts'} and by{' '}
          {prevalence.users.toLocaleString('en')} {prevalence.users === 1 ? 'user' : 'users'};{' '}
          {prevalence.onHost.toLocaleString('en')} on this host.
        </p>
        {prevalence.closed > 0 && (
          <p className="text-muted">
            {prevalence.falsePositives.toLocaleString('en')} of {prevalence.closed.toLocaleString('en')} closed ones
            were false positives.
          </p>
        )}
      </Section>
      {(alert.hostAsset || alert.userAsset) && (
        <Section title="Assets">
          <ul className="space-y-0.5">
            {[alert.hostAsset, alert.userAsset].map(
              (asset) =>
                asset && (
                  <li key={asset.id}>
                    <Link to="/assets" search={{ asset: asset.id }} className="hover:underline">
                      {legible(asset.name)}
                    </Link>{' '}
                    <span className="text-xs text-muted">
                      criticality {asset.criticality.toLowerCase()}, risk {Math.round(asset.risk.score)}
                    </span>
                  </li>
                ),
            )}
          </ul>
        </Section>
      )}
      <Section title="Processes">
        {event ? <ProcessTree event={event.id} /> : <p className="text-muted">The event is past retention.</p>}
      </Section>
      <Section title="Similar alerts">
        {alert.similar.length === 0 && <p className="text-muted">None.</p>}
        <ul className="space-y-1.5">
          {alert.similar.map(({ alert: other, reasons }) => (
            <li key={other.id}>
              <div className="flex items-center gap-2">
                <SeverityBadge severity={other.severity} />
                <button
                  type="button"
                  onClick={() => onOpen(other.id)}
                  className="min-w-0 grow truncate text-left font-medium hover:underline"
                >
                  {legible(other.title)}
                </button>
                <span className="shrink-0 text-xs text-muted">
                  <Time at={other.lastSeen} />
                </span>
              </div>
              <p className="text-xs text-muted">
                {other.host && `${legible(other.host)} · `}
                {statusLook[other.status].label} · same {reasons.map((reason) => reasonLabel[reason]).join(', ')}
              </p>
            </li>
          ))}
        </ul>
      </Section>
    </div>
  );
}
