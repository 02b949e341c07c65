// How long events are kept, where they go then, and how they come back.
import { useQuery } from '@apollo/client/react';
import { useState } from 'react';
import type { JobLineFragment } from '../../nouns/job/Job.generated';
import { JobProgress } from '../../nouns/job/JobProgress';
import { formatUTCDay } from '../../nouns/time/time';
import { Banner } from '../../ui/Banner';
import { Button } from '../../ui/Button';
import { formatBytes } from '../../ui/bytes';
import { Card } from '../../ui/Card';
import { Command } from '../../ui/Command';
import { legible } from '../../ui/legible';
import { ErrorState, SkeletonRows, StaleBanner } from '../../ui/States';
import { Table } from '../../ui/Table';
import { Archives } from './Archives';
import { RestoreDialog, type Wanted } from './RestoreDialog';
import { Restores } from './Restores';
import { RetentionDocument, type RetentionQuery } from './Retention.generated';
import { RetentionForm } from './RetentionForm';
import { type Keeping, keepText, leaves, sourceText } from './retention';

const refreshPeriod = 10_000;
const shown = 7;

export function Retention() {
  const { data, error, refetch } = useQuery(RetentionDocument, { pollInterval: refreshPeriod });
  const [editing, setEditing] = useState(false);
  const [wanted, setWanted] = useState<Wanted | null>(null);
  const [job, setJob] = useState<JobLineFragment | null>(null);
  const reload = () => void refetch().catch(() => undefined);
  if (error && !data) return <ErrorState title="The retention cannot be loaded" error={error} onRetry={reload} />;
  if (!data) return <SkeletonRows rows={8} />;
  const { settings, eventDays } = data;
  const keeping: Keeping = { keep: settings.eventRetention, rules: settings.retentionRules };
  const archive = settings.eventArchive;
  return (
    <div className="space-y-4">
      {error && <StaleBanner error={error} what="The page" onRetry={reload} />}
      {archive === null ? <NoArchive /> : <Place archive={archive} onRestore={() => setWanted({})} />}
      {job && (
        <div className="overflow-hidden rounded-lg border border-line">
          <JobProgress key={job.id} job={job} onDismiss={() => setJob(null)} />
        </div>
      )}
      <Card
        title="How long events are kept"
        action={
          !editing && (
            <Button disabled={settings.pinned} onClick={() => setEditing(true)}>
              Change
            </Button>
          )
        }
      >
        {settings.pinned && (
          <p className="mb-3 text-xs text-muted">
            The configuration of the server is pinned: it is changed there, not here.
          </p>
        )}
        {editing ? (
          <RetentionForm
            version={settings.version}
            keeping={keeping}
            days={eventDays}
            archive={archive}
            onClose={() => setEditing(false)}
            onChanged={reload}
          />
        ) : (
          <Rules keeping={keeping} />
        )}
      </Card>
      <Card title="Days in the database">
        <Days days={eventDays} keeping={keeping} archived={archive !== null} />
      </Card>
      <Card title={archive === null ? 'Days that are gone' : 'Archived days'}>
        <Archives onRestore={archive === null ? undefined : setWanted} />
      </Card>
      {(archive !== null || job) && (
        <Card title="Restored">
          <Restores />
        </Card>
      )}
      {wanted && (
        <RestoreDialog
          wanted={wanted}
          onClose={() => setWanted(null)}
          onBegun={(begun) => {
            setJob(begun);
            setWanted(null);
          }}
        />
      )}
    </div>
  );
}

function Place({ archive, onRestore }: { archive: string; onRestore(): void }) {
  return (
    <Card title="Archive" action={<Button onClick={onRestore}>Restore days</Button>}>
      <p>
        Events whose time is over are written to <code className="font-mono break-all">{legible(archive)}</code>, read
        back and verified, and only then deleted here.
      </p>
    </Card>
  );
}

function NoArchive() {
  return (
    <Card title="Archive">
      <Banner tone="warn" live={false} className="mb-3 rounded-lg">
        No archive is set up: events whose time is over are deleted for good.
      </Banner>
      <p className="mb-3">
        With one they are written to a directory or to S3 first. Start every replica with the same place, a directory or
        a prefix, with a slash at its end:
      </p>
      <div className="space-y-2">
        <Command text="secmon serve --archive /var/lib/secmon-archive/" />
        <Command text="secmon serve --archive s3://BUCKET/secmon/ --archive-s3-region REGION" />
      </div>
      <p className="mt-3 text-xs text-muted">
        In a container it is the variable SECMON_ARCHIVE; see docs/archive.md for encryption and the rights that a
        bucket has to give.
      </p>
    </Card>
  );
}

function Rules({ keeping }: { keeping: Keeping }) {
  return (
    <Table
      bare
      label="Retention by source"
      columns={['Order', 'Events of', 'Kept']}
      wide={1}
      rows={[
        ...keeping.rules.map((rule, i) => ({
          key: String(i),
          cells: [
            String(i + 1),
            <span key="s">
              {legible(sourceText(rule))}
              {rule.name && <span className="block text-xs text-muted">{legible(rule.name)}</span>}
            </span>,
            line(keepText(rule.keep)),
          ],
        })),
        {
          key: 'default',
          cells: ['', keeping.rules.length ? 'All others' : 'All sources', line(keepText(keeping.keep))],
        },
      ]}
    />
  );
}

interface DaysProps {
  days: RetentionQuery['eventDays'];
  keeping: Keeping;
  archived: boolean;
}

/** The oldest first: they go next. */
function Days({ days: made, keeping, archived }: DaysProps) {
  const [all, setAll] = useState(false);
  const now = Date.now();
  // Those of the days to come are made ahead, and empty.
  const days = made.filter((day) => Date.parse(day.day) <= now);
  if (days.length === 0) return <p className="text-muted">No day has events.</p>;
  const sum = days.reduce((total, day) => ({ events: total.events + day.events, bytes: total.bytes + day.bytes }), {
    events: 0,
    bytes: 0,
  });
  return (
    <>
      <p className="mb-3 text-muted">
        {days.length.toLocaleString('en')} {days.length === 1 ? 'day' : 'days'} in UTC, about{' '}
        {sum.events.toLocaleString('en')} events and {formatBytes(sum.bytes)}. What an open alert or incident points to
        stays longer.
      </p>
      <Table
        bare
        label="Days and when they go"
        columns={['Day', 'Events, about', 'Size, about', archived ? 'Goes to the archive' : 'Deleted for good']}
        rows={(all ? days : days.slice(0, shown)).map((day) => ({
          key: day.day,
          cells: [
            line(formatUTCDay(day.day)),
            day.events.toLocaleString('en'),
            line(formatBytes(day.bytes)),
            line(goesText(leaves(day.day, keeping), now)),
          ],
        }))}
      />
      {days.length > shown && (
        <Button look="ghost" className="mt-5" onClick={() => setAll(!all)}>
          {all ? 'Show the oldest' : `Show all ${days.length.toLocaleString('en')}`}
        </Button>
      )}
    </>
  );
}

/** A cell that stays on one line. */
function line(text: string) {
  return (
    <span key={text} className="whitespace-nowrap">
      {text}
    </span>
  );
}

function goesText(at: number | null, now: number): string {
  if (at === null) return 'Never';
  return at <= now ? 'Within six hours' : formatUTCDay(at);
}
