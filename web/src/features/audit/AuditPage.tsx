// Who did what, to what, and when: the journal as people read it.
import { useQuery } from '@apollo/client/react';
import { getRouteApi } from '@tanstack/react-router';
import { ScrollText, ShieldCheck } from 'lucide-react';
import { useMemo, useState } from 'react';
import type { JobLineFragment } from '../../nouns/job/Job.generated';
import { JobProgress } from '../../nouns/job/JobProgress';
import { ChangeList } from '../../nouns/journal/JournalList';
import { actionLabel, actorText } from '../../nouns/journal/words';
import { RangeSelect } from '../../nouns/time/RangeSelect';
import { Time } from '../../nouns/time/Time';
import { useViewer } from '../../nouns/user/useViewer';
import { Button } from '../../ui/Button';
import { SearchBox } from '../../ui/SearchBox';
import { Select } from '../../ui/Select';
import { EmptyState, ErrorState, SkeletonRows } from '../../ui/States';
import { useChange } from '../../ui/useChange';
import { AuditDocument, type AuditQuery, JournalVerifyDocument } from './Audit.generated';
import { type AuditSearch, apiFilter, kinds } from './filters';

type Entry = AuditQuery['journal']['nodes'][number];

const route = getRouteApi('/shell/audit');
const pageSize = 50;

export function AuditPage() {
  const search: AuditSearch = route.useSearch();
  const navigate = route.useNavigate();
  const change = useChange();
  const { viewer, mayAdminister } = useViewer();
  const [job, setJob] = useState<JobLineFragment | null>(null);
  const filter = useMemo(() => apiFilter(search, Date.now()), [search]);
  const { data, error, loading, refetch, fetchMore } = useQuery(AuditDocument, {
    variables: { filter, first: pageSize },
    skip: !mayAdminister,
  });
  const set = (next: Partial<AuditSearch>) => void navigate({ search: { ...search, ...next }, replace: true });
  if (viewer && !mayAdminister) {
    return (
      <EmptyState icon={ScrollText} title="The audit log is for administrators">
        What was done to one alert or incident stands in its history.
      </EmptyState>
    );
  }
  const entries = data?.journal.nodes;
  const more = () =>
    void fetchMore({
      variables: { after: data?.journal.pageInfo.endCursor },
      updateQuery: (was, { fetchMoreResult: next }) => ({
        journal: { ...next.journal, nodes: [...was.journal.nodes, ...next.journal.nodes] },
      }),
    }).catch(() => undefined);
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
          options={[['', 'Any kind'], ...kinds.map((kind) => [kind, kind] as const)]}
        />
        <SearchBox
          label="Action, for example alert.close or user"
          value={search.action ?? ''}
          onChange={(action) => set({ action: action || undefined })}
        />
        <div className="w-52">
          <SearchBox label="Who" value={search.actor ?? ''} onChange={(actor) => set({ actor: actor || undefined })} />
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
      {error && !entries ? (
        <ErrorState
          title="The audit log cannot be loaded"
          error={error}
          onRetry={() => void refetch().catch(() => undefined)}
        />
      ) : !entries ? (
        <SkeletonRows />
      ) : entries.length === 0 ? (
        <EmptyState icon={ScrollText} title="Nothing was done that matches" />
      ) : (
        <section aria-label="Entries" tabIndex={0} className="min-h-0 grow overflow-y-auto bg-surface">
          <ol className="divide-y divide-line">
            {entries.map((entry) => (
              <AuditEntry key={entry.cursor} entry={entry} onActor={(actor) => set({ actor })} />
            ))}
          </ol>
          {data?.journal.pageInfo.hasNextPage && (
            <div className="p-3 text-center">
              <Button onClick={more} disabled={loading}>
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

function AuditEntry({ entry, onActor }: { entry: Entry; onActor(name: string): void }) {
  const shown = entry.changes.slice(0, mostShown);
  return (
    <li>
      <details className="px-3 py-1.5">
        <summary className="flex flex-wrap items-baseline gap-x-3 rounded">
          <span className="w-36 shrink-0 font-mono text-xs text-muted">
            <Time at={entry.at} as="clock" />
          </span>
          <span className="font-medium">{actionLabel(entry.action)}</span>
          <code className="font-mono text-2xs text-faint">{entry.action}</code>
          <span className="text-muted">by {actorText(entry.actor)}</span>
          <span className="ml-auto text-xs text-muted">
            {[...new Set(entry.changes.map((c) => c.kind))].join(', ')}
            {entry.changes.length > 1 && ` (${entry.changes.length.toLocaleString('en')})`}
            {entry.events > 0 && `${entry.events.toLocaleString('en')} events`}
          </span>
        </summary>
        <div className="mt-2 space-y-3 pl-3 md:pl-39">
          {entry.actor.user && (
            <button
              type="button"
              className="text-xs text-accent underline underline-offset-2"
              onClick={() => onActor(entry.actor.name)}
            >
              All of {actorText(entry.actor)}
            </button>
          )}
          {shown.map((change) => (
            <div key={`${change.kind}-${change.id}`}>
              <p className="text-xs">
                {change.kind} <code className="font-mono text-2xs break-all text-muted">{change.id}</code>
                {change.created && ' created'}
              </p>
              <ChangeList changes={change.fields} />
            </div>
          ))}
          {entry.changes.length > mostShown && (
            <p className="text-xs text-muted">
              {(entry.changes.length - mostShown).toLocaleString('en')} more are not shown.
            </p>
          )}
        </div>
      </details>
    </li>
  );
}
