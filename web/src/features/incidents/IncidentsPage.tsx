// All incidents: a board by status, or a list.

import { getRouteApi, Link } from '@tanstack/react-router';
import clsx from 'clsx';
import { Columns3, List, Plus, Siren } from 'lucide-react';
import { useMemo, useRef, useState } from 'react';
import { alertsText } from '../../nouns/alert/alertsText';
import { IncidentExportDocument } from '../../nouns/export/Export.generated';
import { ExportMenu } from '../../nouns/export/ExportMenu';
import { incidentStatuses, incidentStatusLook } from '../../nouns/incident/incident';
import { useQueryLine } from '../../nouns/query/useQueryLine';
import { useTyping } from '../../nouns/query/useTyping';
import { SeverityBadge } from '../../nouns/severity/SeverityBadge';
import { severities, severityLook } from '../../nouns/severity/severity';
import { Time } from '../../nouns/time/Time';
import { useViewer } from '../../nouns/user/useViewer';
import { Button, IconButton } from '../../ui/Button';
import { useKeys } from '../../ui/keys';
import { legible } from '../../ui/legible';
import { QueryBox } from '../../ui/QueryBox';
import { Select } from '../../ui/Select';
import { EmptyState, ErrorState, NoMatch, SkeletonRows, StaleBanner } from '../../ui/States';
import { useChange } from '../../ui/useChange';
import { apiFilter, type IncidentSearch } from './filters';
import type { IncidentCardFragment } from './IncidentList.generated';
import { NewIncident } from './NewIncident';
import { useIncidentList } from './useIncidentList';

const route = getRouteApi('/shell/incidents');

export function IncidentsPage() {
  const search: IncidentSearch = route.useSearch();
  const navigate = route.useNavigate();
  const { viewer, mayWork } = useViewer();
  const [creating, setCreating] = useState(false);
  const searchRef = useRef<HTMLInputElement>(null);
  const me = viewer?.user?.id;
  const filter = useMemo(() => apiFilter(search, me), [search, me]);
  const list = useIncidentList(filter);
  const line = useQueryLine('INCIDENTS', search.q ?? '');
  const send = useChange();
  // Each change is a step that going back undoes; what is typed in one go is one.
  const change = (next: Partial<IncidentSearch>, replace = false) =>
    void navigate({ search: { ...search, ...next }, replace });
  const typing = useTyping();
  const setQuery = (q: string | undefined) => change({ q }, typing(search, { ...search, q }));
  useKeys({
    '/': () => searchRef.current?.focus(),
    c: mayWork ? () => setCreating(true) : undefined,
  });
  const narrowed = Boolean(search.q || search.severity || search.assignee);
  return (
    <>
      <h1 className="sr-only">Incidents</h1>
      <div className="flex flex-wrap items-center gap-2 border-b border-line bg-canvas px-3 py-2">
        <Select
          label="Severity"
          value={search.severity ?? ''}
          onChange={(value) => change({ severity: value || undefined })}
          options={[
            ['', 'Any severity'],
            ...severities.map(
              (s) => [s.toLowerCase(), s === 'CRITICAL' ? 'Critical' : `${severityLook[s].label} and worse`] as const,
            ),
          ]}
        />
        <Select
          label="Assignee"
          value={search.assignee ?? ''}
          onChange={(value) => change({ assignee: (value || undefined) as IncidentSearch['assignee'] })}
          options={[
            ['', 'Anybody'],
            ['me', 'Mine'],
            ['nobody', 'Nobody'],
          ]}
        />
        <QueryBox
          label="Search, for example severity:high or title:phishing"
          value={search.q ?? ''}
          line={line}
          onChange={(q) => setQuery(q || undefined)}
          inputRef={searchRef}
        />
        <IconButton
          icon={search.view === 'list' ? Columns3 : List}
          label={search.view === 'list' ? 'Show as a board' : 'Show as a list'}
          onClick={() => change({ view: search.view === 'list' ? undefined : 'list' })}
        />
        <ExportMenu onExport={(format) => send(IncidentExportDocument, { input: { filter, format } })} />
        {mayWork && (
          <Button look="primary" icon={Plus} hint="c" onClick={() => setCreating(true)}>
            New incident
          </Button>
        )}
      </div>
      {list.error != null && list.incidents.length > 0 && (
        <StaleBanner error={list.error} what="The list" onRetry={list.retry} />
      )}
      {list.error && list.incidents.length === 0 ? (
        <ErrorState title="The incidents cannot be loaded" error={list.error} onRetry={list.reload} />
      ) : list.loading && list.incidents.length === 0 ? (
        <SkeletonRows />
      ) : list.incidents.length === 0 ? (
        narrowed ? (
          <NoMatch
            title="No incident matches"
            all="Show all incidents"
            onAll={() => void navigate({ search: search.view ? { view: search.view } : {} })}
          />
        ) : (
          <EmptyState icon={Siren} title="There are no incidents">
            <p>
              Select alerts in the{' '}
              <Link to="/alerts" className="text-accent underline underline-offset-2">
                queue
              </Link>{' '}
              and press e to escalate them, or let groupings of the settings do it.
            </p>
          </EmptyState>
        )
      ) : search.view === 'list' ? (
        <IncidentTable incidents={list.incidents} />
      ) : (
        <Board incidents={list.incidents} />
      )}
      {list.hasMore && (
        <div className="border-t border-line p-2 text-center">
          <Button onClick={list.loadMore} disabled={list.loading || list.error != null}>
            Load more
          </Button>
        </div>
      )}
      {creating && <NewIncident onClose={() => setCreating(false)} />}
    </>
  );
}

const emptyColumn: Record<IncidentCardFragment['status'], string> = {
  OPEN: 'Nothing waits. Escalated alerts come here.',
  IN_PROGRESS: 'Nobody works on one. Open one and press Start work.',
  CLOSED: 'None is closed. What is closed stays here with its finding.',
};

function Board({ incidents }: { incidents: readonly IncidentCardFragment[] }) {
  return (
    <section
      aria-label="Board of incidents"
      tabIndex={0}
      className="grid min-h-0 grow snap-x scroll-p-3 auto-cols-[minmax(min(17rem,85vw),1fr)] grid-flow-col items-start gap-3 overflow-auto p-3"
    >
      {incidentStatuses.map((status) => {
        const { label, icon: Icon, text } = incidentStatusLook[status];
        const here = incidents.filter((incident) => incident.status === status);
        return (
          <section
            key={status}
            aria-labelledby={`column-${status}`}
            className="flex min-h-full snap-start flex-col rounded-xl border border-line bg-raised/60 p-2"
          >
            <h2 id={`column-${status}`} className="mb-2 flex h-6 items-center gap-1.5 px-1 text-xs font-semibold">
              <Icon size={14} aria-hidden className={text} />
              {label}
              <span className="ml-auto rounded bg-surface px-1.5 font-medium text-muted tabular-nums">
                {here.length}
              </span>
            </h2>
            <ul className="flex grow flex-col gap-2">
              {here.map((incident) => (
                <li key={incident.id}>
                  <IncidentCard incident={incident} />
                </li>
              ))}
              {here.length === 0 && (
                <li className="flex min-h-24 items-center justify-center rounded-lg border border-dashed border-line-strong px-4 py-6 text-center text-xs text-balance text-muted">
                  {emptyColumn[status]}
                </li>
              )}
            </ul>
          </section>
        );
      })}
    </section>
  );
}

function IncidentCard({ incident }: { incident: IncidentCardFragment }) {
  return (
    <Link
      to="/incidents/$id"
      params={{ id: incident.id }}
      className="block rounded-xl border border-line bg-surface p-3 hover:border-line-strong hover:bg-hover"
    >
      <span className="flex items-center gap-2">
        <SeverityBadge severity={incident.severity} />
        <span className="ml-auto text-2xs text-muted">
          <Time at={incident.updatedAt} />
        </span>
      </span>
      <span className="mt-1.5 block font-medium text-balance">{legible(incident.title)}</span>
      <span className="mt-1.5 flex flex-wrap gap-x-3 text-xs text-muted">
        <span>{alertsText(incident.alertCount)}</span>
        {incident.taskCount > 0 && (
          <span>
            {incident.tasksDone} of {incident.taskCount} tasks
          </span>
        )}
        <span className="ml-auto">{incident.assignee?.displayName ?? 'Nobody'}</span>
      </span>
    </Link>
  );
}

function IncidentTable({ incidents }: { incidents: readonly IncidentCardFragment[] }) {
  const cell = 'px-3 py-1.5 text-left';
  return (
    <section aria-label="List of incidents" tabIndex={0} className="min-h-0 grow overflow-auto bg-surface">
      <table className="w-full text-sm tabular-nums">
        <thead className="sticky top-0 bg-raised text-2xs text-muted">
          <tr>
            {['Severity', 'Status', 'Incident', 'Alerts', 'Tasks', 'Assignee', 'Created', 'Changed'].map((title) => (
              <th key={title} scope="col" className={clsx(cell, 'font-medium')}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {incidents.map((incident) => (
            <tr key={incident.id} className="border-b border-line hover:bg-hover">
              <td className={cell}>
                <SeverityBadge severity={incident.severity} />
              </td>
              <td className={clsx(cell, 'text-xs whitespace-nowrap')}>{incidentStatusLook[incident.status].label}</td>
              <td className={clsx(cell, 'w-full')}>
                <Link to="/incidents/$id" params={{ id: incident.id }} className="font-medium hover:underline">
                  {legible(incident.title)}
                </Link>
              </td>
              <td className={cell}>{incident.alertCount.toLocaleString('en')}</td>
              <td className={clsx(cell, 'whitespace-nowrap')}>
                {incident.taskCount > 0 && `${incident.tasksDone}/${incident.taskCount}`}
              </td>
              <td className={clsx(cell, 'whitespace-nowrap text-muted')}>
                {incident.assignee?.displayName ?? 'Nobody'}
              </td>
              <td className={clsx(cell, 'whitespace-nowrap text-muted')}>
                <Time at={incident.createdAt} />
              </td>
              <td className={clsx(cell, 'whitespace-nowrap text-muted')}>
                <Time at={incident.updatedAt} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
