// Who did what, to what, and when: the journal as people read it.
import { useApolloClient } from '@apollo/client/react';
import { getRouteApi } from '@tanstack/react-router';
import { ChevronRight, ScrollText, ShieldCheck } from 'lucide-react';
import { useMemo, useState } from 'react';
import { usePages } from '../../api/usePages';
import type { JobLineFragment } from '../../nouns/job/Job.generated';
import { JobProgress } from '../../nouns/job/JobProgress';
import { ChangeTable } from '../../nouns/journal/ChangeTable';
import { actionLabel, actorText, kindLabel } from '../../nouns/journal/words';
import { useTyping } from '../../nouns/query/useTyping';
import { RangeSelect } from '../../nouns/time/RangeSelect';
import { Time } from '../../nouns/time/Time';
import { useViewer } from '../../nouns/user/useViewer';
import { Button } from '../../ui/Button';
import { SearchBox } from '../../ui/SearchBox';
import { Select } from '../../ui/Select';
import { EmptyState, ErrorState, SkeletonRows, StaleBanner } from '../../ui/States';
import { useChange } from '../../ui/useChange';
import { useEvery } from '../../ui/useEvery';
import { AuditDocument, type AuditQuery, JournalVerifyDocument } from './Audit.generated';
import { type AuditSearch, apiFilter, kinds } from './filters';

type Entry = AuditQuery['journal']['nodes'][number];

const route = getRouteApi('/shell/audit');
const pageSize = 50;
const refreshPeriod = 5_000;

export function AuditPage() {
  const search: AuditSearch = route.useSearch();
  const navigate = route.useNavigate();
  const change = useChange();
  const { viewer, mayAdminister } = useViewer();
  const [job, setJob] = useState<JobLineFragment | null>(null);
  const { entry: opened, ...narrowing } = search;
  const key = JSON.stringify(narrowing);
  // What is open does not change what is listed.
  // biome-ignore lint/correctness/useExhaustiveDependencies: key stands for what narrows
  const filter = useMemo(() => apiFilter(narrowing, Date.now()), [key]);
  const client = useApolloClient();
  const list = usePages<Entry>({
    key: mayAdminister ? key : null,
    read: async (first, after) => {
      const { data } = await client.query({
        query: AuditDocument,
        variables: { filter, first, after },
        fetchPolicy: 'no-cache',
      });
      const { nodes = [], pageInfo } = data?.journal ?? {};
      return { items: nodes, next: pageInfo?.hasNextPage ? pageInfo.endCursor : null };
    },
    idOf: (entry) => entry.cursor,
    size: pageSize,
  });
  useEvery(refreshPeriod, list.refresh);
  // Each change is a step that going back undoes; what is typed in one go is one.
  const set = (next: Partial<AuditSearch>, replace = false) =>
    void navigate({ search: { ...search, ...next }, replace });
  const typing = { action: useTyping(), actor: useTyping() };
  const type = (field: 'action' | 'actor', text: string) => {
    const next = { [field]: text || undefined };
    set(next, typing[field](search, { ...search, ...next }));
  };
  if (viewer && !mayAdminister) {
    return (
      <EmptyState icon={ScrollText} title="The audit log is for administrators">
        What was done to one alert or incident stands in its history.
      </EmptyState>
    );
  }
  const entries = list.items;
  return (
    <>
      <h1 className="sr-only">Audit log</h1>
      <div className="flex flex-wrap items-center gap-2 border-b border-line bg-canvas px-3 py-2">
        <RangeSelect
          range={search}
          anyTime="Any time"
          onChange={(range) => set({ since: undefined, from: undefined, to: undefined, ...range })}
        />
        <Select
          label="Kind"
          value={search.kind ?? ''}
          onChange={(kind) => set({ kind: kind || undefined })}
          options={[['', 'Any kind'], ...kinds.map((kind) => [kind, kindLabel(kind)] as const)]}
        />
        <SearchBox
          label="Action, for example alert.close or user"
          value={search.action ?? ''}
          onChange={(action) => type('action', action)}
        />
        <div className="w-52">
          <SearchBox label="Who" value={search.actor ?? ''} onChange={(actor) => type('actor', actor)} />
        </div>
        <Button
          icon={ShieldCheck}
          onClick={async () => {
            const done = await change(JournalVerifyDocument, {});
            if (done?.job) setJob(done.job);
          }}
        >
          Check the chain
        </Button>
      </div>
      {job && <JobProgress job={job} onDismiss={() => setJob(null)} />}
      {list.error != null && entries && <StaleBanner error={list.error} what="The list" onRetry={list.retry} />}
      {list.error && !entries ? (
        <ErrorState title="The audit log cannot be loaded" error={list.error} onRetry={list.retry} />
      ) : !entries ? (
        <SkeletonRows />
      ) : entries.length === 0 && !list.hasMore ? (
        <EmptyState icon={ScrollText} title="Nothing was done that matches">
          <button
            type="button"
            className="text-accent underline underline-offset-2"
            onClick={() => void navigate({ search: {} })}
          >
            Show everything that was done
          </button>
        </EmptyState>
      ) : (
        <section aria-label="Entries" tabIndex={0} className="min-h-0 grow overflow-y-auto bg-surface">
          <ol className="divide-y divide-line">
            {entries.map((entry) => (
              <AuditEntry
                key={entry.cursor}
                entry={entry}
                open={entry.cursor === opened}
                onOpen={(open) => set({ entry: open ? entry.cursor : undefined })}
                onActor={(actor) => set({ actor })}
              />
            ))}
          </ol>
          {list.hasMore && (
            <div className="p-3 text-center">
              <Button onClick={list.more} disabled={list.loading || list.error != null}>
                Load more
              </Button>
            </div>
          )}
        </section>
      )}
    </>
  );
}

const mostShown = 20;

interface AuditEntryProps {
  entry: Entry;
  open: boolean;
  onOpen(open: boolean): void;
  onActor(name: string): void;
}

function AuditEntry({ entry, open, onOpen, onActor }: AuditEntryProps) {
  const shown = entry.changes.slice(0, mostShown);
  const kinds = [...new Set(entry.changes.map((c) => c.kind))].map(kindLabel).join(', ');
  return (
    <li>
      <details open={open} className="group px-3 py-1.5 open:bg-raised/50">
        {/* biome-ignore lint/a11y/noStaticElementInteractions: a summary is pressed by mouse and keys */}
        <summary
          // The link decides, so that it can be passed on.
          onClick={(event) => {
            event.preventDefault();
            onOpen(!open);
          }}
          className="flex flex-wrap items-baseline gap-x-3 rounded"
        >
          <ChevronRight
            size={14}
            aria-hidden
            className="shrink-0 self-center text-faint transition-transform group-open:rotate-90"
          />
          <span className="w-36 shrink-0 font-mono text-xs text-muted max-sm:order-last max-sm:w-auto max-sm:basis-full max-sm:pl-[1.625rem]">
            <Time at={entry.at} as="clock" />
          </span>
          <span className="font-medium">{actionLabel(entry.action)}</span>
          <span className="text-muted">by {actorText(entry.actor)}</span>
          <code className="font-mono text-2xs text-faint max-md:hidden">{entry.action}</code>
          <span className="ml-auto text-xs text-muted">
            {kinds}
            {entry.changes.length > 1 && ` (${entry.changes.length.toLocaleString('en')})`}
            {entry.events > 0 && `${entry.events.toLocaleString('en')} ${entry.events === 1 ? 'event' : 'events'}`}
          </span>
        </summary>
        {open && (
          <div className="mt-2 space-y-3 pb-2 pl-3 md:pl-[10.75rem]">
            {entry.actor.user && (
              <button
                type="button"
                className="text-xs text-accent underline underline-offset-2"
                onClick={() => onActor(entry.actor.name)}
              >
                All that {actorText(entry.actor)} did
              </button>
            )}
            {shown.map((change) => (
              <div key={`${change.kind}-${change.id}`} className="space-y-1">
                <p className="text-xs">
                  <span className="font-medium">{kindLabel(change.kind)}</span>{' '}
                  <code className="font-mono text-2xs break-all text-muted">{change.id}</code>
                  {change.created && ' made'}
                </p>
                {change.fields.length > 0 && (
                  <ChangeTable
                    label={`${kindLabel(change.kind)} ${change.id}`}
                    changes={change.fields}
                    created={change.created}
                  />
                )}
              </div>
            ))}
            {entry.changes.length > mostShown && (
              <p className="text-xs text-muted">
                {(entry.changes.length - mostShown).toLocaleString('en')} more are not shown.
              </p>
            )}
          </div>
        )}
      </details>
    </li>
  );
}
