// The alert beside the list: everything about it, and what can be done with it.
import { useQuery } from '@apollo/client/react';
import { SearchX, X } from 'lucide-react';
import { useEffect, useState } from 'react';
import { usePulse } from '../../live/pulse';
import { useViewer } from '../../nouns/user/useViewer';
import { IconButton } from '../../ui/Button';
import { EmptyState, ErrorState, Skeleton } from '../../ui/States';
import { Tabs } from '../../ui/Tabs';
import { AlertActions } from './AlertActions';
import { AlertClaim } from './AlertClaim';
import { AlertComments } from './AlertComments';
import { AlertDetailDocument } from './AlertDetail.generated';
import { AlertDuplicate } from './AlertDuplicate';
import { AlertEvidence } from './AlertEvidence';
import { AlertHeader } from './AlertHeader';
import { AlertHistory } from './AlertHistory';
import { AlertMembers } from './AlertMembers';
import { AlertMerged } from './AlertMerged';
import { AlertOverview } from './AlertOverview';
import { AlertRelated } from './AlertRelated';
import { AlertRule } from './AlertRule';
import { AlertSeverityMenu } from './AlertSeverityMenu';
import { AlertSuppressed } from './AlertSuppressed';
import { AlertTags } from './AlertTags';
import type { AlertTab } from './filters';
import { MergeSimilar } from './MergeDialog';
import type { AlertActions as Actions, Decided } from './useAlertActions';

const refreshPeriod = 1_000;
const tabs = [
  { id: 'overview', label: 'Overview' },
  { id: 'evidence', label: 'Evidence' },
  { id: 'related', label: 'Related' },
  { id: 'rule', label: 'Rule' },
  { id: 'comments', label: 'Comments' },
  { id: 'history', label: 'History' },
] as const;

interface AlertPanelProps {
  id: string;
  tab: AlertTab;
  actions: Actions;
  /** Whenever it is another number above 0, the panel takes the focus. */
  focus: number;
  onTab(tab: AlertTab): void;
  onDismiss(): void;
  /** Opens another alert beside the same list. */
  onOpen(id: string): void;
  onClose(alert: Decided): void;
  onReopen(alert: Decided): void;
  onEscalate(id: string): void;
  onSuppress(id: string): void;
  /** Another number whenever suppressions have changed here. */
  suppressed: number;
}

export function AlertPanel(props: AlertPanelProps) {
  const { id, tab, actions, focus, onTab, onDismiss, onOpen, onClose, onReopen, onEscalate, onSuppress, suppressed } =
    props;
  const { mayWork } = useViewer();
  const { data, error, refetch } = useQuery(AlertDetailDocument, { variables: { id } });
  const reload = () => void refetch().catch(() => undefined);
  usePulse(reload, refreshPeriod, (changed) => changed.size === 0 || changed.has(id));
  useEffect(() => {
    if (suppressed > 0) void refetch().catch(() => undefined);
  }, [suppressed, refetch]);
  const alert = data?.alert;
  const mine = mayWork ? actions : undefined;
  const [merging, setMerging] = useState<Decided | null>(null);
  return (
    <aside
      aria-label="Alert"
      className="flex min-h-0 w-[min(36rem,100%)] shrink-0 flex-col border-l border-line bg-surface max-xl:absolute max-xl:inset-y-0 max-xl:right-0 max-xl:z-20 max-xl:shadow-pop"
    >
      {alert ? (
        <>
          <AlertHeader alert={alert} focus={focus} onClose={onDismiss}>
            <AlertClaim alert={alert} />
          </AlertHeader>
          {mayWork && (
            <AlertActions
              alert={alert}
              actions={actions}
              onClose={onClose}
              onReopen={onReopen}
              onEscalate={onEscalate}
              onSuppress={onSuppress}
              onMerge={setMerging}
              merged={alert.mergedInto !== null}
            >
              <AlertSeverityMenu alert={alert} actions={actions} />
            </AlertActions>
          )}
          <AlertDuplicate alert={alert} actions={mine} onOpen={onOpen} />
          <AlertSuppressed alert={alert} />
          <Tabs label="About the alert" tabs={tabs} current={tab} onChange={onTab}>
            {tab === 'overview' && <AlertOverview alert={alert} tags={<AlertTags alert={alert} actions={mine} />} />}
            {tab === 'evidence' && (
              <>
                <AlertMembers alert={alert} />
                <AlertEvidence alert={alert} />
              </>
            )}
            {tab === 'related' && (
              <AlertRelated id={id} onOpen={onOpen}>
                <AlertMerged id={id} actions={mine} onOpen={onOpen} />
              </AlertRelated>
            )}
            {tab === 'rule' && <AlertRule alert={alert} />}
            {tab === 'comments' && <AlertComments alert={alert} mayWork={mayWork} />}
            {tab === 'history' && <AlertHistory alert={alert} />}
          </Tabs>
          {merging && (
            <MergeSimilar alert={merging} actions={actions} onOpen={onOpen} onClose={() => setMerging(null)} />
          )}
        </>
      ) : (
        <>
          <div className="flex justify-end px-4 pt-3">
            <IconButton icon={X} label="Close the panel (Escape)" onClick={onDismiss} />
          </div>
          {error ? (
            <ErrorState title="The alert cannot be loaded" error={error} onRetry={reload} />
          ) : data ? (
            <EmptyState icon={SearchX} title="There is no such alert">
              The link may be wrong, or the alert is past retention.
            </EmptyState>
          ) : (
            <PanelSkeleton />
          )}
        </>
      )}
    </aside>
  );
}

function PanelSkeleton() {
  return (
    <div role="status" aria-label="Loading" className="space-y-4 px-4 pb-4">
      <Skeleton className="h-5 w-40" />
      <Skeleton className="h-6 w-4/5" />
      <Skeleton className="h-4 w-3/5" />
      <Skeleton className="h-7 w-64" />
      <Skeleton className="h-40 w-full" />
      <Skeleton className="h-56 w-full" />
    </div>
  );
}
