// What happened, the latest first, under a picture of when.

import { useApolloClient, useQuery } from '@apollo/client/react';
import { Link } from '@tanstack/react-router';
import clsx from 'clsx';
import {
  CircleCheck,
  ListTodo,
  type LucideIcon,
  MessageSquare,
  Pencil,
  Siren,
  TriangleAlert,
  UserRound,
} from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { ChangeList } from '../../nouns/journal/JournalList';
import { actionLabel, actorText } from '../../nouns/journal/words';
import { SeverityBadge } from '../../nouns/severity/SeverityBadge';
import { severities, severityLook } from '../../nouns/severity/severity';
import { intervalFor } from '../../nouns/time/range';
import { Time } from '../../nouns/time/Time';
import { Button } from '../../ui/Button';
import { CommentBox } from '../../ui/CommentBox';
import { Histogram } from '../../ui/Histogram';
import { legible } from '../../ui/legible';
import { ErrorState, Skeleton } from '../../ui/States';
import { useChange } from '../../ui/useChange';
import { IncidentCommentDocument } from './Changes.generated';
import { IncidentActivityDocument, IncidentTimelineDocument, type IncidentTimelineQuery } from './Incident.generated';
import type { IncidentDetail } from './IncidentPage';

type Entry = NonNullable<IncidentTimelineQuery['incident']>['timeline']['nodes'][number];

interface IncidentTimelineProps {
  incident: IncidentDetail;
  /** Counts up when the incident has changed. */
  round: number;
  mayWork: boolean;
}

const pageSize = 50;

export function IncidentTimeline({ incident, round, mayWork }: IncidentTimelineProps) {
  const change = useChange();
  const { entries, hasMore, error, more, reload } = useTimeline(incident.id, round);
  return (
    <div className="mx-auto max-w-4xl space-y-5">
      {incident.description && <p className="whitespace-pre-wrap">{legible(incident.description)}</p>}
      <Activity incident={incident} />
      {error && !entries ? (
        <ErrorState title="The timeline cannot be loaded" error={error} onRetry={reload} />
      ) : !entries ? (
        <Skeleton className="h-64" />
      ) : (
        <ol aria-label="Timeline" className="relative ml-3 space-y-4 border-l border-line pl-6">
          {entries.map((entry) => (
            <TimelineEntry key={`${entry.cursor}-${entry.at}-${entry.alert?.id ?? ''}`} entry={entry} />
          ))}
        </ol>
      )}
      {hasMore && (
        <Button onClick={more} className="print:hidden">
          Show more
        </Button>
      )}
      {mayWork && (
        <div className="print:hidden">
          <CommentBox
            send={async (body) =>
              (await change(IncidentCommentDocument, { input: { id: incident.id, body } })) !== null
            }
          />
        </div>
      )}
    </div>
  );
}

function useTimeline(id: string, round: number) {
  const client = useApolloClient();
  const [entries, setEntries] = useState<readonly Entry[] | null>(null);
  const [end, setEnd] = useState<string | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [again, setAgain] = useState(0);
  const pages = useRef(1);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a change is read anew, as far as it was shown
  useEffect(() => {
    let stale = false;
    const read = async () => {
      const all: Entry[] = [];
      let after: string | null = null;
      for (let page = 0; page < pages.current; page++) {
        const result: { data?: IncidentTimelineQuery } = await client.query({
          query: IncidentTimelineDocument,
          variables: { id, first: pageSize, after },
          fetchPolicy: 'no-cache',
        });
        const timeline = result.data?.incident?.timeline;
        all.push(...(timeline?.nodes ?? []));
        after = timeline?.pageInfo.hasNextPage ? timeline.pageInfo.endCursor : null;
        if (!after) break;
      }
      if (stale) return;
      setEntries(all);
      setEnd(after);
      setError(null);
    };
    read().catch((problem) => {
      if (!stale) setError(problem);
    });
    return () => {
      stale = true;
    };
  }, [client, id, round, again]);
  return {
    entries,
    hasMore: end !== null,
    error,
    more: () => {
      pages.current += 1;
      setAgain((n) => n + 1);
    },
    reload: () => setAgain((n) => n + 1),
  };
}

function lookOf(entry: Entry): { icon: LucideIcon; tone: string } {
  if (entry.comment) return { icon: MessageSquare, tone: 'text-accent' };
  if (entry.alert) return { icon: TriangleAlert, tone: 'text-high' };
  if (entry.action.includes('task')) return { icon: ListTodo, tone: 'text-muted' };
  if (entry.action === 'incident.close') return { icon: CircleCheck, tone: 'text-good' };
  if (entry.action === 'incident.create') return { icon: Siren, tone: 'text-critical' };
  if (entry.action === 'incident.assign') return { icon: UserRound, tone: 'text-muted' };
  return { icon: Pencil, tone: 'text-muted' };
}

function TimelineEntry({ entry }: { entry: Entry }) {
  const { icon: Icon, tone } = lookOf(entry);
  return (
    <li className="relative">
      <span
        aria-hidden
        className={clsx(
          'absolute -left-[2.25rem] flex size-6 items-center justify-center rounded-full border border-line bg-surface',
          tone,
        )}
      >
        <Icon size={13} />
      </span>
      <div className="flex flex-wrap items-baseline gap-x-2">
        <span className="font-semibold">{actionLabel(entry.action)}</span>
        <span className="text-muted">by {actorText(entry.actor)}</span>
        <Time at={entry.at} as="clock" className="ml-auto text-xs text-faint tabular-nums" />
      </div>
      {entry.alert && (
        <Link
          to="/alerts"
          search={{ alert: entry.alert.id, status: 'all' }}
          className="mt-1 inline-flex max-w-full items-center gap-2 rounded-lg border border-line px-2 py-1 hover:bg-hover"
        >
          <SeverityBadge severity={entry.alert.severity} />
          <span className="truncate">{legible(entry.alert.title)}</span>
          {entry.alert.host && <span className="shrink-0 text-xs text-muted">{legible(entry.alert.host)}</span>}
        </Link>
      )}
      {entry.comment ? (
        <p className="mt-1 rounded-lg bg-raised px-3 py-2 break-words whitespace-pre-wrap">
          {legible(entry.comment.body)}
        </p>
      ) : (
        !entry.alert && <ChangeList changes={entry.changes} />
      )}
    </li>
  );
}

/** When the incident's alerts matched. */
function Activity({ incident }: { incident: IncidentDetail }) {
  const [first, last] = [incident.firstSeen, incident.lastSeen].map((at) => Date.parse(at ?? incident.createdAt)) as [
    number,
    number,
  ];
  // As wide as what happened, with a little room on both sides.
  const room = Math.max((last - first) * 0.04, 5_000);
  const [from, to] = [first - room, last + room];
  const interval = intervalFor(from, to, 48);
  const { data } = useQuery(IncidentActivityDocument, {
    variables: {
      id: incident.id,
      from: new Date(from).toISOString(),
      to: new Date(to).toISOString(),
      interval: `PT${interval}S`,
    },
    skip: incident.alertCount < 2,
  });
  const found = data?.alertTimeSeries;
  // All at one moment: a picture of one bar says nothing.
  const moments = new Set(found?.series.flatMap((s) => s.counts.flatMap((count, i) => (count > 0 ? [i] : []))));
  if (!found || moments.size < 2) return null;
  return (
    <div>
      <Histogram
        label="Alerts of the incident over time"
        starts={found.starts.map((start) => Date.parse(start))}
        interval={interval * 1_000}
        height={56}
        series={[...severities].reverse().flatMap((severity) => {
          const counts = found.series.find((s) => s.value === severity)?.counts;
          const { label, fill } = severityLook[severity];
          return counts ? [{ id: severity, label, fill, counts }] : [];
        })}
      />
    </div>
  );
}
