// One incident: what happened, to whom, who works on it, and the report of it.

import { useQuery } from '@apollo/client/react';
import { getRouteApi, Link } from '@tanstack/react-router';
import { CircleCheck, FileText, Merge, RotateCcw, SearchX, UserRound } from 'lucide-react';
import { useState } from 'react';
import { useFeed } from '../../live/useFeed';
import { dispositionLook } from '../../nouns/alert/alert';
import { CloseDialog, ReopenDialog } from '../../nouns/alert/CloseDialog';
import { incidentStatusLook } from '../../nouns/incident/incident';
import { useExplainedChange } from '../../nouns/journal/useExplainedChange';
import { SeverityBadge } from '../../nouns/severity/SeverityBadge';
import { SeverityMenu } from '../../nouns/severity/SeverityMenu';
import { Time } from '../../nouns/time/Time';
import { UsersDocument } from '../../nouns/user/Users.generated';
import { useViewer } from '../../nouns/user/useViewer';
import { Button } from '../../ui/Button';
import { legible } from '../../ui/legible';
import { Menu } from '../../ui/Menu';
import { EmptyState, ErrorState, SkeletonRows } from '../../ui/States';
import { Tabs } from '../../ui/Tabs';
import {
  IncidentAssignDocument,
  IncidentCloseDocument,
  IncidentReopenDocument,
  IncidentUpdateDocument,
} from './Changes.generated';
import { EditIncident } from './EditIncident';
import { IncidentDetailDocument, type IncidentDetailQuery, IncidentPulseDocument } from './Incident.generated';
import { IncidentAlerts } from './IncidentAlerts';
import { IncidentReport } from './IncidentReport';
import { IncidentSide } from './IncidentSide';
import { IncidentTimeline } from './IncidentTimeline';
import { MergeIncidents } from './MergeIncidents';

export type IncidentDetail = NonNullable<IncidentDetailQuery['incident']>;

const route = getRouteApi('/shell/incidents/$id');
const tabs = [
  { id: 'timeline', label: 'Timeline' },
  { id: 'alerts', label: 'Alerts' },
  { id: 'report', label: 'Report' },
] as const;

export function IncidentPage() {
  const { id } = route.useParams();
  const { tab = 'timeline' } = route.useSearch();
  const navigate = route.useNavigate();
  const { mayWork } = useViewer();
  const { data, error, refetch } = useQuery(IncidentDetailDocument, { variables: { id } });
  const [round, setRound] = useState(0);
  const reload = () => {
    void refetch().catch(() => undefined);
    setRound((n) => n + 1);
  };
  useFeed({
    document: IncidentPulseDocument,
    variables: { filter: {} },
    after: '',
    read: (batch) => batch.incidentFeed.entries.map((e) => ({ change: e.change, item: e.incident })),
    idOf: (incident) => incident.id,
    onFlush: (entries) => {
      if (entries.some((e) => e.item.id === id)) reload();
    },
    onResync: reload,
  });
  const incident = data?.incident;
  if (!incident) {
    if (error) return <ErrorState title="The incident cannot be loaded" error={error} onRetry={reload} />;
    return data ? (
      <>
        <h1 className="sr-only">Incident</h1>
        <EmptyState icon={SearchX} title="There is no such incident">
          <Link to="/incidents" className="text-accent underline underline-offset-2">
            Show all incidents
          </Link>
        </EmptyState>
      </>
    ) : (
      <SkeletonRows />
    );
  }
  return (
    <div className="flex min-h-0 grow max-lg:flex-col max-lg:overflow-y-auto print:block">
      {/* Where the side stands below, the page scrolls as one. */}
      <div className="flex min-w-0 grow flex-col max-lg:flex-none max-lg:[&_[role=tabpanel]]:overflow-visible print:block">
        {/* On paper the report has a head of its own. */}
        <div className={tab === 'report' ? 'print:hidden' : undefined}>
          <Header incident={incident} mayWork={mayWork} onChanged={reload} />
        </div>
        <Tabs
          label="About the incident"
          tabs={tabs.map((t) => (t.id === 'alerts' ? { ...t, count: incident.alertCount } : t))}
          current={tab}
          onChange={(next) => void navigate({ search: next === 'timeline' ? {} : { tab: next } })}
        >
          {tab === 'timeline' && <IncidentTimeline incident={incident} round={round} mayWork={mayWork} />}
          {tab === 'alerts' && <IncidentAlerts key={id} incident={incident} round={round} mayWork={mayWork} />}
          {tab === 'report' && <IncidentReport id={id} round={round} />}
        </Tabs>
      </div>
      <IncidentSide incident={incident} mayWork={mayWork} onChanged={reload} />
    </div>
  );
}

interface HeaderProps {
  incident: IncidentDetail;
  mayWork: boolean;
  onChanged(): void;
}

function Header({ incident, mayWork, onChanged }: HeaderProps) {
  const change = useExplainedChange();
  const [dialog, setDialog] = useState<'close' | 'reopen' | 'edit' | 'merge' | null>(null);
  const users = useQuery(UsersDocument, { fetchPolicy: 'cache-first' });
  const { id, version } = incident;
  const { label, icon: Icon, text } = incidentStatusLook[incident.status];
  const closed = incident.status === 'CLOSED';
  return (
    <header className="space-y-2 px-4 pt-4 pb-2">
      <p className="flex flex-wrap items-center gap-3 text-xs">
        <Link to="/incidents" className="text-muted hover:underline print:hidden">
          Incidents
        </Link>
        <SeverityBadge severity={incident.severity} />
        <span className="inline-flex items-center gap-1">
          <Icon size={13} aria-hidden className={text} />
          {label}
          {incident.disposition && `: ${dispositionLook[incident.disposition].label}`}
        </span>
        <span className="text-muted">
          Opened <Time at={incident.createdAt} />, changed <Time at={incident.updatedAt} />
        </span>
      </p>
      <h1 className="text-xl leading-7 font-semibold text-balance">{legible(incident.title)}</h1>
      {incident.mergedInto && (
        <p className="text-sm">
          Merged into{' '}
          <Link
            to="/incidents/$id"
            params={{ id: incident.mergedInto.id }}
            className="text-accent underline underline-offset-2"
          >
            {legible(incident.mergedInto.title)}
          </Link>
        </p>
      )}
      {closed && incident.reason && (
        <p className="rounded-lg bg-good-soft px-3 py-2 text-xs whitespace-pre-line">{legible(incident.reason)}</p>
      )}
      {mayWork && (
        <div className="flex flex-wrap gap-2 pt-1 print:hidden">
          {incident.mergedInto ? null : closed ? (
            // One that was merged has no alerts left to work on: its place is in the other.
            <Button icon={RotateCcw} onClick={() => setDialog('reopen')}>
              Reopen
            </Button>
          ) : (
            <>
              {incident.status === 'OPEN' && (
                <Button
                  look="primary"
                  onClick={() =>
                    void change(IncidentUpdateDocument, {
                      input: { id, expectedVersion: version, status: 'IN_PROGRESS' },
                    })
                  }
                >
                  Start work
                </Button>
              )}
              <Button icon={CircleCheck} onClick={() => setDialog('close')}>
                Close
              </Button>
            </>
          )}
          <Menu
            label="Assign to"
            trigger={(properties) => (
              <Button icon={UserRound} {...properties}>
                {incident.assignee?.displayName ?? 'Assign'}
              </Button>
            )}
            items={[{ id: '', name: '', displayName: 'Nobody' }, ...(users.data?.users.nodes ?? [])].map((person) => ({
              id: person.id,
              label: person.displayName,
              detail: person.name,
              checked: (incident.assignee?.id ?? '') === person.id,
              onSelect: () =>
                void change(IncidentAssignDocument, {
                  input: { id, expectedVersion: version, assignee: person.id || null },
                }),
            }))}
          />
          <SeverityMenu
            now={incident.severity}
            onSelect={(severity) =>
              void change(IncidentUpdateDocument, { input: { id, expectedVersion: version, severity } })
            }
          />
          <Button icon={FileText} onClick={() => setDialog('edit')}>
            Edit
          </Button>
          {!closed && (
            <Button icon={Merge} onClick={() => setDialog('merge')}>
              Merge
            </Button>
          )}
        </div>
      )}
      {dialog === 'close' && (
        <CloseDialog
          what="the incident"
          onCancel={() => setDialog(null)}
          onSubmit={async (disposition, reason) => {
            await change(IncidentCloseDocument, { input: { id, expectedVersion: version, disposition, reason } });
            setDialog(null);
          }}
        />
      )}
      {dialog === 'reopen' && (
        <ReopenDialog
          what="the incident"
          onCancel={() => setDialog(null)}
          onSubmit={async (reason) => {
            await change(IncidentReopenDocument, { input: { id, expectedVersion: version, reason } });
            setDialog(null);
          }}
        />
      )}
      {dialog === 'merge' && (
        <MergeIncidents incident={incident} onMerged={onChanged} onClose={() => setDialog(null)} />
      )}
      {dialog === 'edit' && <EditIncident incident={incident} onClose={() => setDialog(null)} />}
    </header>
  );
}
