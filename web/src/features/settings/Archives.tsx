// What became of the days that are kept no longer.
import { useApolloClient } from '@apollo/client/react';
import { usePages } from '../../api/usePages';
import { Time } from '../../nouns/time/Time';
import { formatUTCDay } from '../../nouns/time/time';
import { Button } from '../../ui/Button';
import { formatBytes } from '../../ui/bytes';
import { legible } from '../../ui/legible';
import { ErrorState, SkeletonRows, StaleBanner } from '../../ui/States';
import { Table } from '../../ui/Table';
import { sentence } from '../../ui/useChange';
import { useEvery } from '../../ui/useEvery';
import { ArchiveBadge, archiveAdvice } from './archive';
import type { Wanted } from './RestoreDialog';
import { type ArchivedDayFragment, ArchivedDaysDocument } from './Retention.generated';

const pageSize = 30;
const refreshPeriod = 3_000;

/** Without onRestore there is nothing to restore from. */
export function Archives({ onRestore }: { onRestore?: ((wanted: Wanted) => void) | undefined }) {
  const client = useApolloClient();
  const list = usePages<ArchivedDayFragment>({
    key: 'archives',
    read: async (first, after) => {
      const { data } = await client.query({
        query: ArchivedDaysDocument,
        variables: { first, after },
        fetchPolicy: 'no-cache',
      });
      const { nodes = [], pageInfo } = data?.eventArchives ?? {};
      return { items: nodes, next: pageInfo?.hasNextPage ? pageInfo.endCursor : null };
    },
    idOf: (archive) => `${archive.day} ${archive.generation}`,
    size: pageSize,
  });
  useEvery(refreshPeriod, list.refresh);
  if (!list.items) {
    if (list.error) return <ErrorState title="The days cannot be loaded" error={list.error} onRetry={list.retry} />;
    return <SkeletonRows rows={3} />;
  }
  if (list.items.length === 0) return <p className="text-muted">No day has ended yet.</p>;
  return (
    <div className="space-y-3">
      {list.error != null && <StaleBanner error={list.error} what="The list" onRetry={list.retry} />}
      <Table
        bare
        label="What became of days"
        columns={['Day', 'State', 'Events', 'Objects', 'Size', 'Changed', '']}
        wide={1}
        rows={list.items.map((archive) => ({
          key: `${archive.day} ${archive.generation}`,
          cells: [
            <span key="d" className="whitespace-nowrap">
              {formatUTCDay(archive.day)}
              {!archive.whole && <span className="block text-xs text-muted">some sources</span>}
            </span>,
            <State key="s" archive={archive} />,
            archive.events.toLocaleString('en'),
            archive.objects.toLocaleString('en'),
            <span key="b" className="whitespace-nowrap">
              {formatBytes(archive.bytes)}
            </span>,
            <Time key="t" at={archive.updatedAt} className="whitespace-nowrap text-muted" />,
            onRestore && archive.manifest && archive.state === 'REMOVED' && (
              <Button
                key="r"
                aria-label={`Restore ${formatUTCDay(archive.day)}`}
                onClick={() => onRestore({ from: archive.day, to: archive.day })}
              >
                Restore
              </Button>
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

function State({ archive }: { archive: ArchivedDayFragment }) {
  return (
    <>
      <ArchiveBadge state={archive.state} error={archive.error} />
      {archive.error && (
        <span className="block text-xs break-words text-muted">
          {legible(sentence(archive.error))} Nothing of it is deleted; it is tried again within ten minutes.{' '}
          {archiveAdvice(archive.error)}
        </span>
      )}
      {archive.manifest && (
        <code className="block font-mono text-2xs break-all text-faint" title={legible(archive.manifest)}>
          {legible(archive.manifest.replace(/\.manifest\.json$/, ''))}
        </code>
      )}
    </>
  );
}
