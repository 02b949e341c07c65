// All that is known of a host, a user, an address or a file hash.

import { useQuery } from '@apollo/client/react';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import clsx from 'clsx';
import { SearchX } from 'lucide-react';
import { useRef } from 'react';
import type { EntityKind } from '../../gql/schema';
import { useFeed } from '../../live/useFeed';
import { StatusBadge } from '../../nouns/alert/StatusBadge';
import { entityLabel } from '../../nouns/entity/entity';
import { classLabel } from '../../nouns/event/event';
import { IndicatorNotes } from '../../nouns/indicator/IndicatorNotes';
import { SeverityBadge } from '../../nouns/severity/SeverityBadge';
import { Time } from '../../nouns/time/Time';
import { BarList } from '../../ui/BarList';
import { Card } from '../../ui/Card';
import { CopyButton } from '../../ui/CopyButton';
import { legible } from '../../ui/legible';
import { EmptyState, ErrorState, SkeletonRows } from '../../ui/States';
import { Table } from '../../ui/Table';
import { EntityDocument, EntityPulseDocument } from './Entity.generated';
import { type EntitySearch, kindOf } from './filters';

const route = getRouteApi('/shell/entity');
const refreshPeriod = 3_000;

export function EntityPage() {
  const search: EntitySearch = route.useSearch();
  const navigate = useNavigate();
  const variables = { kind: kindOf(search), value: search.value };
  const { data, error, refetch } = useQuery(EntityDocument, { variables, skip: !search.value });
  const reload = () => void refetch().catch(() => undefined);
  const due = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useFeed({
    document: EntityPulseDocument,
    variables,
    after: search.value ? '' : null,
    read: (batch) => batch.entityFeed.entries.map((entry) => ({ change: 'UPDATED' as const, item: entry })),
    idOf: (entry) => entry.cursor,
    onFlush: () => {
      // A busy host changes all the time: look again now and then.
      due.current ??= setTimeout(() => {
        due.current = undefined;
        reload();
      }, refreshPeriod);
    },
    onResync: reload,
  });
  if (!search.value) {
    return (
      <>
        <h1 className="sr-only">Entity</h1>
        <EmptyState icon={SearchX} title="Which one?">
          Press Ctrl K and type a host, a user, an address or a file hash.
        </EmptyState>
      </>
    );
  }
  const entity = data?.entity;
  if (!entity) {
    return error ? <ErrorState title="The entity cannot be loaded" error={error} onRetry={reload} /> : <SkeletonRows />;
  }
  const pivot = (kind: string) => (value: string) => void navigate({ to: '/entity', search: { kind, value } });
  const rows = (values: readonly { value: string; count: number }[]) =>
    values
      .filter(({ value }) => value !== entity.value)
      .map(({ value, count }) => ({ key: value, label: value, count }));
  const line = lineOf(entity.kind, entity.value);
  return (
    <section
      aria-label={`About ${legible(entity.value)}`}
      tabIndex={0}
      className="min-h-0 grow overflow-y-auto p-4 focus-visible:outline-offset-[-2px] max-sm:p-2"
    >
      <div className="mx-auto max-w-[100rem] space-y-4">
        <header>
          <p className="text-xs text-muted">{entityLabel[entity.kind]}</p>
          <h1 className="flex items-center gap-1 text-xl font-semibold break-all">
            {legible(entity.value)}
            <CopyButton text={entity.value} label="Copy the value" />
          </h1>
          <p className="flex flex-wrap gap-x-4 text-xs text-muted">
            <span>
              {entity.seen.count.toLocaleString('en')}
              {entity.seen.isEstimate && '+'} events
            </span>
            {entity.seen.firstSeen && (
              <span>
                First <Time at={entity.seen.firstSeen} />
              </span>
            )}
            {entity.seen.lastSeen && (
              <span>
                Last <Time at={entity.seen.lastSeen} />
              </span>
            )}
            {entity.asset && (
              <Link
                to="/assets"
                search={{ asset: entity.asset.id }}
                className="text-accent underline underline-offset-2"
              >
                Asset, risk {Math.round(entity.asset.risk.score)}
                {entity.asset.owner && `, owned by ${legible(entity.asset.owner)}`}
              </Link>
            )}
            <Link to="/events" search={{ q: line }} className="text-accent underline underline-offset-2">
              Hunt in its events
            </Link>
          </p>
          <IndicatorNotes indicators={entity.indicators} />
        </header>
        <div
          className={clsx('grid gap-4 md:grid-cols-2', entity.kind === 'HASH' ? 'xl:grid-cols-4' : 'xl:grid-cols-3')}
        >
          {entity.kind !== 'HOST' && (
            <Card title="Hosts">
              <BarList
                rows={rows(entity.hosts.values)}
                does="Look at"
                empty="None in its events."
                onChoose={pivot('host')}
              />
            </Card>
          )}
          {entity.kind !== 'USER' && (
            <Card title="Users">
              <BarList
                rows={rows(entity.users.values)}
                does="Look at"
                empty="None in its events."
                onChoose={pivot('user')}
              />
            </Card>
          )}
          <Card title="Processes">
            <BarList rows={rows(entity.processes.values)} empty="None in its events." />
          </Card>
          {entity.kind !== 'ADDRESS' && (
            <Card title="Source addresses">
              <BarList
                rows={rows(entity.sources.values)}
                does="Look at"
                empty="None in its events."
                onChoose={pivot('address')}
              />
            </Card>
          )}
        </div>
        <Card title="Alerts">
          {entity.alerts.nodes.length === 0 ? (
            <p className="text-muted">No alert is about it.</p>
          ) : (
            <Table
              bare
              label="Alerts about it"
              columns={['Severity', 'Status', 'Alert', entity.kind === 'HOST' ? 'User' : 'Host', 'Last seen']}
              wide={2}
              rows={entity.alerts.nodes.map((alert) => ({
                key: alert.id,
                cells: [
                  <SeverityBadge key="s" severity={alert.severity} />,
                  <StatusBadge key="t" status={alert.status} />,
                  <Link
                    key="l"
                    to="/alerts"
                    search={{ alert: alert.id, status: 'all' }}
                    className="font-medium hover:underline"
                  >
                    {legible(alert.title)}
                  </Link>,
                  <span key="w" className="whitespace-nowrap text-muted">
                    {legible(entity.kind === 'HOST' ? alert.user : alert.host) || '–'}
                  </span>,
                  <Time key="a" at={alert.lastSeen} className="text-xs whitespace-nowrap text-muted" />,
                ],
              }))}
            />
          )}
        </Card>
        <Card title="Latest events">
          {entity.events.nodes.length === 0 ? (
            <p className="text-muted">No event has it; it may be older than what is kept.</p>
          ) : (
            <ul className="divide-y divide-line text-xs">
              {entity.events.nodes.map((event) => (
                <li key={event.id}>
                  <Link to="/events" search={{ q: line, event: event.id }} className="flex gap-3 py-1 hover:bg-hover">
                    <span className="w-24 shrink-0 font-mono whitespace-nowrap text-muted sm:w-32">
                      <Time at={event.occurredAt} as="clock" />
                    </span>
                    <span className="w-20 shrink-0 truncate sm:w-28">{classLabel[event.class]}</span>
                    <span className="w-40 shrink-0 truncate max-md:hidden">
                      {legible(entity.kind === 'HOST' ? event.user : event.host)}
                    </span>
                    <span className="min-w-0 grow truncate text-muted">{legible(event.message || event.action)}</span>
                  </Link>
                </li>
              ))}
            </ul>
          )}
        </Card>
      </div>
    </section>
  );
}

/** The query line that finds its events. */
function lineOf(kind: EntityKind, value: string): string {
  const quoted = `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
  if (kind === 'ADDRESS') return `sourceIp:${quoted} OR destinationIp:${quoted}`;
  return `${{ HOST: 'host', USER: 'user', HASH: 'fileHash' }[kind]}:${quoted}`;
}
