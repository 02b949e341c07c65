// A source: how it is, what came of it in the last hour, and for how long it may be silent.
import { useQuery } from '@apollo/client/react';
import { Link } from '@tanstack/react-router';
import { SearchX, Trash2 } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import { StatusBadge } from '../../nouns/alert/StatusBadge';
import { JournalList } from '../../nouns/journal/JournalList';
import { useExplainedChange } from '../../nouns/journal/useExplainedChange';
import { SeverityBadge } from '../../nouns/severity/SeverityBadge';
import { DurationField } from '../../nouns/time/DurationField';
import { formatDuration, secondsOf } from '../../nouns/time/duration';
import { Time } from '../../nouns/time/Time';
import { useViewer } from '../../nouns/user/useViewer';
import { Banner } from '../../ui/Banner';
import { Button } from '../../ui/Button';
import { Confirm } from '../../ui/Confirm';
import { Facts } from '../../ui/Facts';
import { Choice } from '../../ui/Field';
import { Histogram } from '../../ui/Histogram';
import { legible } from '../../ui/legible';
import { notify } from '../../ui/notices';
import { Section } from '../../ui/Section';
import { Side } from '../../ui/Side';
import { EmptyState, ErrorState, Skeleton } from '../../ui/States';
import { useEvery } from '../../ui/useEvery';
import { bytesText, lagText, lastHour, rateText, shareText } from './figures';
import { protocolLabel } from './filters';
import { SourceBadge } from './SourceBadge';
import {
  SourceDeleteDocument,
  SourceDetailDocument,
  type SourceDetailQuery,
  SourceUpdateDocument,
} from './Sources.generated';

type Source = NonNullable<SourceDetailQuery['source']>;

const link = 'text-accent underline underline-offset-2';

interface SourcePanelProps {
  id: string;
  onChanged(): void;
  onDismiss(): void;
}

export function SourcePanel({ id, onChanged, onDismiss }: SourcePanelProps) {
  const { mayWork, mayAdminister } = useViewer();
  const { data, error, refetch } = useQuery(SourceDetailDocument, {
    variables: { id },
    fetchPolicy: 'cache-and-network',
  });
  const reload = () => void refetch().catch(() => undefined);
  useEvery(5_000, reload);
  const source = data?.source;
  const changed = () => {
    onChanged();
    reload();
  };
  return (
    <Side label="Source" onDismiss={onDismiss}>
      {source ? (
        <div className="space-y-5">
          <div>
            <h3 className="text-lg font-semibold break-words">{legible(source.name)}</h3>
            <p className="flex flex-wrap items-center gap-2 text-xs text-muted">
              <SourceBadge state={source.state} />
              <span>
                heard of first <Time at={source.firstSeen} />, last <Time at={source.lastSeen} />
              </span>
            </p>
          </div>
          <Silence source={source} />
          <Unread source={source} mayWork={mayWork} />
          <Section title="The last hour, minute by minute">
            <Minutes source={source} />
          </Section>
          <Facts
            rows={[
              ['Token', source.token || 'None of the database'],
              ['Sent by', protocolLabel(source.protocol)],
              ['Format', source.format],
              ['Rate', rateText(source.rate)],
              ['Accepted', `${recordsText(source.records)}, ${bytesText(source.bytes)}`],
              [
                'Refused',
                <span key="r">
                  {recordsText(source.rejected)}; {shareText(source.errorRate)} of the last hour
                  {mayWork && source.rejected > 0 && (
                    <>
                      {' · '}
                      <Link to="/sources/dead-letters" search={{ source: source.id }} className={link}>
                        Dead letters
                      </Link>
                    </>
                  )}
                </span>,
              ],
              ['Lag', `${lagText(source.lagSeconds)} on average, ${lagText(source.lagMaxSeconds)} at most`],
            ]}
          />
          <Section title="Silence">
            {mayWork ? (
              <Patience key={`${source.id} ${source.version}`} source={source} onChanged={changed} />
            ) : (
              <p>{waitedFor(source)}</p>
            )}
          </Section>
          <Section title="History">
            <JournalList entries={source.journal.nodes} more={source.journal.pageInfo.hasNextPage} />
          </Section>
          {mayAdminister && (
            <Forget
              source={source}
              onChanged={changed}
              onGone={() => {
                onChanged();
                onDismiss();
              }}
            />
          )}
        </div>
      ) : error ? (
        <ErrorState title="The source cannot be loaded" error={error} onRetry={reload} />
      ) : data ? (
        <EmptyState icon={SearchX} title="There is no such source" />
      ) : (
        <Skeleton className="h-96" />
      )}
    </Side>
  );
}

function recordsText(n: number): string {
  return `${n.toLocaleString('en')} ${n === 1 ? 'record' : 'records'}`;
}

function Silence({ source: { silentSince, alert, patience } }: { source: Source }) {
  if (!silentSince) return null;
  return (
    <div className="space-y-2">
      <Banner tone="error">
        It has been silent for longer than it may be
        {patience && ` (${formatDuration(patience)})`}, noted <Time at={silentSince} />.
      </Banner>
      {alert && (
        <p className="flex items-center gap-2">
          <SeverityBadge severity={alert.severity} />
          <StatusBadge status={alert.status} />
          <Link
            to="/alerts"
            search={{ alert: alert.id, status: 'all' }}
            className="min-w-0 grow truncate hover:underline"
          >
            {legible(alert.title)}
          </Link>
        </p>
      )}
    </div>
  );
}

/** Records that are taken in, but that no format tells what they are. */
function Unread({ source: { format }, mayWork }: { source: Source; mayWork: boolean }) {
  if (format !== 'generic') return null;
  return (
    <Banner tone="info">
      No format is known for these records: they are stored, with what could be guessed.{' '}
      {mayWork && (
        <Link to="/sources/mappings" className={link}>
          See the guesses and make a mapping
        </Link>
      )}
    </Banner>
  );
}

function Minutes({ source }: { source: Source }) {
  const { starts, interval, records, rejected } = lastHour(source.minutes, Date.now());
  return (
    <Histogram
      label="Records of the last hour, each minute"
      starts={starts}
      interval={interval}
      atLeast={10}
      height={96}
      series={[
        { id: 'records', label: 'Accepted', fill: 'fill-accent', counts: records },
        { id: 'rejected', label: 'Refused', fill: 'fill-critical-bar', counts: rejected },
      ]}
    />
  );
}

function waitedFor({ expectEvery, patience }: Source): string {
  if (expectEvery && secondsOf(expectEvery) === 0) return 'Its silence is no news.';
  if (!patience) return 'It is not waited for yet: after ten sightings it is known how often it sends.';
  return `It may be silent for ${formatDuration(patience)}, as ${expectEvery ? 'somebody has said' : 'learned'}; then an alert is raised.`;
}

type Choose = 'learned' | 'said' | 'never';

function Patience({ source, onChanged }: { source: Source; onChanged(): void }) {
  const change = useExplainedChange();
  const { expectEvery } = source;
  const before: Choose = !expectEvery ? 'learned' : secondsOf(expectEvery) === 0 ? 'never' : 'said';
  const [choice, setChoice] = useState<Choose>(before);
  const [said, setSaid] = useState(before === 'said' ? (expectEvery ?? '') : (source.patience ?? 'PT1H'));
  const [busy, setBusy] = useState(false);
  const wanted = { learned: null, said, never: 'PT0S' }[choice];
  const send = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    const done = await change(SourceUpdateDocument, {
      input: { id: source.id, expectedVersion: source.version, expectEvery: wanted },
    });
    setBusy(false);
    if (done) notify('info', 'It is waited for as you say.');
    onChanged();
  };
  return (
    <form onSubmit={send} className="space-y-3">
      <p className="text-muted">{waitedFor(source)}</p>
      <div className="grid gap-3 sm:grid-cols-2">
        <Choice
          label="An alert, when it is silent"
          value={choice}
          options={[
            ['learned', 'For longer than usual'],
            ['said', 'For longer than I say'],
            ['never', 'Never'],
          ]}
          onChange={(next) => setChoice(next as Choose)}
        />
        {choice === 'said' && (
          <DurationField
            label="It may be silent for"
            hint="1 minute to 90 days"
            units={['minutes', 'hours', 'days']}
            required
            value={said}
            onChange={setSaid}
          />
        )}
      </div>
      <Button
        type="submit"
        disabled={busy || (choice === before && (choice !== 'said' || said === expectEvery)) || wanted === ''}
      >
        Save
      </Button>
    </form>
  );
}

interface ForgetProps {
  source: Source;
  onChanged(): void;
  onGone(): void;
}

function Forget({ source, onChanged, onGone }: ForgetProps) {
  const change = useExplainedChange();
  const [asking, setAsking] = useState(false);
  return (
    <div>
      <Button icon={Trash2} look="danger" onClick={() => setAsking(true)}>
        Forget
      </Button>
      {asking && (
        <Confirm
          title="Forget the source?"
          submit="Forget"
          onCancel={() => setAsking(false)}
          onConfirm={async () => {
            const done = await change(SourceDeleteDocument, {
              input: { id: source.id, expectedVersion: source.version },
            });
            setAsking(false);
            if (done) onGone();
            else onChanged();
          }}
        >
          Its counts go, its events stay. When it sends again it is found anew.
        </Confirm>
      )}
    </div>
  );
}
