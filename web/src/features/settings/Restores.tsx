// Archived events that were brought back: how far, how many, until when.
import { useApolloClient } from '@apollo/client/react';
import { Link } from '@tanstack/react-router';
import { usePages } from '../../api/usePages';
import { actorText } from '../../nouns/journal/words';
import { Time } from '../../nouns/time/Time';
import { formatUTCDay } from '../../nouns/time/time';
import { Button } from '../../ui/Button';
import { legible } from '../../ui/legible';
import { ErrorState, SkeletonRows, StaleBanner } from '../../ui/States';
import { Table } from '../../ui/Table';
import { sentence } from '../../ui/useChange';
import { useEvery } from '../../ui/useEvery';
import { RestoreBadge, restoreAdvice } from './archive';
import { type RestoredFragment, RestoresDocument } from './Retention.generated';

const pageSize = 20;
const refreshPeriod = 2_000;
const dayLength = 86_400_000;

export function Restores() {
  const client = useApolloClient();
  const list = usePages<RestoredFragment>({
    key: 'restores',
    read: async (first, after) => {
      const { data } = await client.query({
        query: RestoresDocument,
        variables: { first, after },
        fetchPolicy: 'no-cache',
      });
      const { nodes = [], pageInfo } = data?.eventRestores ?? {};
      return { items: nodes, next: pageInfo?.hasNextPage ? pageInfo.endCursor : null };
    },
    idOf,
    size: pageSize,
  });
  useEvery(refreshPeriod, list.refresh);
  if (!list.items) {
    if (list.error) return <ErrorState title="The restores cannot be loaded" error={list.error} onRetry={list.retry} />;
    return <SkeletonRows rows={2} />;
  }
  if (list.items.length === 0) return <p className="text-muted">Nothing was brought back yet.</p>;
  return (
    <div className="space-y-3">
      {list.error != null && <StaleBanner error={list.error} what="The list" onRetry={list.retry} />}
      <Table
        bare
        label="Restores"
        columns={['Days', 'State', 'Events', 'Until', 'By', '']}
        wide={1}
        rows={list.items.map((restore) => ({
          key: idOf(restore),
          cells: [
            <span key="d" className="whitespace-nowrap">
              {span(restore)}
            </span>,
            <State key="s" restore={restore} />,
            restore.restored.toLocaleString('en'),
            <Time key="u" at={restore.until} className="whitespace-nowrap text-muted" />,
            <span key="b" className="text-muted">
              {actorText(restore.createdBy)}
            </span>,
            restore.state === 'DONE' && restore.restored > 0 && (
              <Link
                key="l"
                to="/events"
                search={{ ...eventsOf(restore) }}
                aria-label={`Events of ${span(restore)}`}
                className="text-xs text-accent underline underline-offset-2"
              >
                Events
              </Link>
            ),
          ],
        }))}
      />
      {list.hasMore && (
        <Button look="ghost" className="mt-3" disabled={list.loading} onClick={list.more}>
          Show earlier ones
        </Button>
      )}
    </div>
  );
}

/** They have no id of their own in the API; two do not begin in one microsecond. */
function idOf(restore: RestoredFragment): string {
  return `${restore.createdAt} ${restore.from} ${restore.query}`;
}

function span({ from, to }: RestoredFragment): string {
  return from === to ? formatUTCDay(from) : `${formatUTCDay(from)} – ${formatUTCDay(to)}`;
}

/** Where they are looked at: by when they occurred, which is the day of receipt as a rule. */
export function eventsOf({ from, to, query }: Pick<RestoredFragment, 'from' | 'to' | 'query'>) {
  return {
    from: new Date(Date.parse(from)).toISOString(),
    to: new Date(Date.parse(to) + dayLength).toISOString(),
    q: query || undefined,
  };
}

function State({ restore }: { restore: RestoredFragment }) {
  const running = restore.state === 'RUNNING';
  return (
    <>
      <span className="flex flex-wrap items-center gap-x-3">
        <RestoreBadge state={restore.state} />
        {running && (
          <progress
            aria-label={`Restore of ${span(restore)}`}
            max={Math.max(1, restore.total)}
            value={restore.total > 0 ? restore.objects : undefined}
            className="h-1.5 w-24 accent-accent"
          />
        )}
        {restore.total > 0 && (running || restore.state === 'FAILED') && (
          <span className="text-xs text-muted">
            {restore.objects.toLocaleString('en')} of {restore.total.toLocaleString('en')} objects
          </span>
        )}
      </span>
      {restore.query && <code className="block font-mono text-xs break-all text-muted">{legible(restore.query)}</code>}
      {restore.state === 'DONE' && restore.restored === 0 && (
        <span className="block text-xs text-muted">The archive has none of these days that fit.</span>
      )}
      {restore.error && (
        <span className="block text-xs break-words text-muted">
          {legible(sentence(restore.error))} {restoreAdvice(restore.error)}
        </span>
      )}
    </>
  );
}
