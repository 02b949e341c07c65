// What the alert has taken in, each with a way out.
import { useQuery } from '@apollo/client/react';
import { Unlink } from 'lucide-react';
import { usePulse } from '../../live/pulse';
import { SeverityBadge } from '../../nouns/severity/SeverityBadge';
import { Time } from '../../nouns/time/Time';
import { IconButton } from '../../ui/Button';
import { legible } from '../../ui/legible';
import { Section } from '../../ui/Section';
import { AlertMergedListDocument } from './AlertMerge.generated';
import type { AlertActions } from './useAlertActions';

const refreshPeriod = 2_000;

interface AlertMergedProps {
  id: string;
  /** Absent: who looks may not change it. */
  actions?: AlertActions;
  onOpen(id: string): void;
}

export function AlertMerged({ id, actions, onOpen }: AlertMergedProps) {
  const { data, refetch } = useQuery(AlertMergedListDocument, { variables: { id }, fetchPolicy: 'cache-and-network' });
  const reload = () => void refetch().catch(() => undefined);
  usePulse(reload, refreshPeriod, (changed) => changed.size === 0 || changed.has(id));
  const merged = data?.alert?.merged;
  if (!merged || merged.nodes.length === 0) return null;
  return (
    <Section title={`Merged into this ${merged.nodes.length}${merged.pageInfo.hasNextPage ? '+' : ''}`}>
      <ul className="space-y-1">
        {merged.nodes.map((alert) => (
          <li key={alert.id} className="flex items-center gap-2">
            <SeverityBadge severity={alert.severity} />
            <button
              type="button"
              onClick={() => onOpen(alert.id)}
              className="min-w-0 grow truncate text-left font-medium hover:underline"
            >
              {legible(alert.title)}
              {alert.host && <span className="font-normal text-muted"> · {legible(alert.host)}</span>}
            </button>
            <span className="shrink-0 text-xs text-muted">
              {alert.count.toLocaleString('en')} × <Time at={alert.lastSeen} />
            </span>
            {actions && (
              <IconButton
                icon={Unlink}
                label={`Detach "${legible(alert.title)}"`}
                className="size-6"
                onClick={async () => {
                  if (await actions.detach(alert)) reload();
                }}
              />
            )}
          </li>
        ))}
      </ul>
    </Section>
  );
}
