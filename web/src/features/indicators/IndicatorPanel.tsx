// An indicator: who warns of it, until when, and what has been seen of it.
import { useQuery } from '@apollo/client/react';
import { Link } from '@tanstack/react-router';
import { SearchX } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import type { Severity } from '../../gql/schema';
import { alertsText } from '../../nouns/alert/alertsText';
import { StatusBadge } from '../../nouns/alert/StatusBadge';
import { JournalList } from '../../nouns/journal/JournalList';
import { useExplainedChange } from '../../nouns/journal/useExplainedChange';
import { SeverityBadge } from '../../nouns/severity/SeverityBadge';
import { Time } from '../../nouns/time/Time';
import { useViewer } from '../../nouns/user/useViewer';
import { Button } from '../../ui/Button';
import { Confirm } from '../../ui/Confirm';
import { CopyButton } from '../../ui/CopyButton';
import { Facts } from '../../ui/Facts';
import { Choice, TextArea, TextField } from '../../ui/Field';
import { legible } from '../../ui/legible';
import { notify } from '../../ui/notices';
import { Section } from '../../ui/Section';
import { Side } from '../../ui/Side';
import { EmptyState, ErrorState, Skeleton } from '../../ui/States';
import { kinds, labelOf, severities, states } from './filters';
import {
  IndicatorDeleteDocument,
  IndicatorDetailDocument,
  type IndicatorDetailQuery,
  IndicatorUpdateDocument,
} from './Indicators.generated';

type Indicator = NonNullable<IndicatorDetailQuery['indicator']>;

interface IndicatorPanelProps {
  id: string;
  onChanged(): void;
  onDismiss(): void;
}

export function IndicatorPanel({ id, onChanged, onDismiss }: IndicatorPanelProps) {
  const { mayWork } = useViewer();
  const { data, error, refetch } = useQuery(IndicatorDetailDocument, {
    variables: { id },
    fetchPolicy: 'cache-and-network',
  });
  const indicator = data?.indicator;
  const again = () => void refetch().catch(() => undefined);
  const changed = () => {
    onChanged();
    again();
  };
  return (
    <Side label="Indicator" onDismiss={onDismiss}>
      {indicator ? (
        <div className="space-y-5">
          <div>
            <h3 className="flex items-center gap-1 text-lg font-semibold break-all">
              {legible(indicator.includeSubdomains ? `*.${indicator.value}` : indicator.value)}
              <CopyButton text={indicator.value} label="Copy the value" />
            </h3>
            <p className="text-xs text-muted">
              {labelOf(kinds, indicator.kind)} · {legible(indicator.source)} · {labelOf(states, indicator.state)}
            </p>
          </div>
          <Facts
            rows={[
              ['Severity', <SeverityBadge key="s" severity={indicator.severity} />],
              ['Confidence', String(indicator.confidence)],
              ['Valid from', <Time key="f" at={indicator.validFrom} />],
              ['Valid until', indicator.validUntil ? <Time key="u" at={indicator.validUntil} /> : 'For ever'],
              ['Revoked', indicator.revokedAt && <Time key="r" at={indicator.revokedAt} />],
              ['Tags', indicator.tags.join(', ')],
              ['Description', indicator.description],
              ['Reference', <Reference key="l" text={indicator.reference} />],
              ['Added by', `${indicator.createdBy}`],
              ['Changed by', indicator.version > 1 ? indicator.updatedBy : ''],
            ]}
          />
          <Section title="Sightings">
            <Sightings indicator={indicator} />
          </Section>
          {indicator.others.length > 0 && (
            <Section title="Other sources of the same value">
              <ul className="space-y-1">
                {indicator.others.map((other) => (
                  <li key={other.id} className="flex items-center gap-2">
                    <SeverityBadge severity={other.severity} />
                    <Link
                      to="/indicators"
                      search={{ indicator: other.id }}
                      className="min-w-0 grow truncate hover:underline"
                    >
                      {legible(other.source)}
                    </Link>
                    <span className="text-xs text-muted">
                      {labelOf(states, other.state)}, confidence {other.confidence}
                    </span>
                  </li>
                ))}
              </ul>
            </Section>
          )}
          {mayWork && (
            <Section title="Change it">
              <IndicatorForm
                key={indicator.version}
                indicator={indicator}
                onChanged={changed}
                onDeleted={() => {
                  onChanged();
                  onDismiss();
                }}
              />
            </Section>
          )}
          <Section title="History">
            <JournalList entries={indicator.journal.nodes} more={indicator.journal.pageInfo.hasNextPage} />
          </Section>
        </div>
      ) : error ? (
        <ErrorState title="The indicator cannot be loaded" error={error} onRetry={again} />
      ) : data ? (
        <EmptyState icon={SearchX} title="There is no such indicator" />
      ) : (
        <Skeleton className="h-96" />
      )}
    </Side>
  );
}

/** Only what is a web address becomes a link. */
function Reference({ text }: { text: string }) {
  if (!/^https?:\/\//.test(text)) return legible(text) || '–';
  return (
    <a
      href={text}
      target="_blank"
      rel="noreferrer noopener"
      className="break-all text-accent underline underline-offset-2"
    >
      {legible(text)}
    </a>
  );
}

function Sightings({ indicator }: { indicator: Indicator }) {
  const { sightings } = indicator;
  if (sightings.count === 0) return <p className="text-muted">No event has had it while it was in force.</p>;
  return (
    <>
      <p className="mb-2 text-xs text-muted">
        {sightings.count.toLocaleString('en')} {sightings.count === 1 ? 'event' : 'events'} in{' '}
        {alertsText(sightings.alerts)}
        {sightings.lastSeen && (
          <>
            , the last <Time at={sightings.lastSeen} />
          </>
        )}
      </p>
      <ul className="space-y-1">
        {indicator.alerts.nodes.map((alert) => (
          <li key={alert.id} className="flex items-center gap-2">
            <SeverityBadge severity={alert.severity} />
            <StatusBadge status={alert.status} />
            <Link
              to="/alerts"
              search={{ alert: alert.id, status: 'all' }}
              className="min-w-0 grow truncate hover:underline"
            >
              {legible(alert.host || alert.title)}
            </Link>
            <span className="shrink-0 text-xs text-muted">
              <Time at={alert.lastSeen} />
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}

/** A time as the browser's field has it, in its own zone. */
function fieldTime(at: string | null | undefined): string {
  if (!at) return '';
  const date = new Date(at);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

interface FormProps {
  indicator: Indicator;
  onChanged(): void;
  onDeleted(): void;
}

function IndicatorForm({ indicator, onChanged, onDeleted }: FormProps) {
  const change = useExplainedChange();
  const [severity, setSeverity] = useState<Severity>(indicator.severity);
  const [confidence, setConfidence] = useState(String(indicator.confidence));
  const [until, setUntil] = useState(fieldTime(indicator.validUntil));
  const [tags, setTags] = useState(indicator.tags.join(', '));
  const [description, setDescription] = useState(indicator.description);
  const [asking, setAsking] = useState(false);
  const which = { id: indicator.id, expectedVersion: indicator.version };
  const update = async (input: object, said: string) => {
    const done = await change(IndicatorUpdateDocument, { input: { ...which, ...input } });
    if (done) notify('info', said);
    onChanged();
  };
  const send = (event: FormEvent) => {
    event.preventDefault();
    void update(
      {
        severity,
        confidence: Number(confidence),
        // Left as it is, to the second, unless somebody changed it.
        ...(until !== fieldTime(indicator.validUntil) && { validUntil: until ? new Date(until).toISOString() : null }),
        tags: tags
          .split(',')
          .map((tag) => tag.trim())
          .filter(Boolean),
        description,
      },
      'The indicator is saved.',
    );
  };
  return (
    <form onSubmit={send} className="space-y-3">
      <div className="grid gap-3 sm:grid-cols-2">
        <Choice
          label="Severity"
          value={severity}
          options={severities}
          onChange={(next) => setSeverity(next as Severity)}
        />
        <TextField
          label="Confidence"
          type="number"
          min={0}
          max={100}
          value={confidence}
          onChange={(e) => setConfidence(e.target.value)}
        />
        <TextField
          label="Valid until"
          hint="Empty: for ever"
          type="datetime-local"
          value={until}
          onChange={(e) => setUntil(e.target.value)}
        />
        <TextField label="Tags, with commas between" value={tags} onChange={(e) => setTags(e.target.value)} />
      </div>
      <TextArea
        label="Description"
        value={description}
        maxLength={2000}
        onChange={(e) => setDescription(e.target.value)}
      />
      <div className="flex flex-wrap gap-2">
        <Button type="submit" look="primary">
          Save
        </Button>
        <Button
          onClick={() =>
            void update(
              { revoked: indicator.state !== 'REVOKED' },
              indicator.state === 'REVOKED' ? 'The indicator is in force again.' : 'The indicator is revoked.',
            )
          }
        >
          {indicator.state === 'REVOKED' ? 'Put in force again' : 'Revoke'}
        </Button>
        <Button onClick={() => setAsking(true)}>Delete</Button>
      </div>
      {asking && (
        <Confirm
          title="Delete the indicator?"
          submit="Delete"
          onCancel={() => setAsking(false)}
          onConfirm={async () => {
            const done = await change(IndicatorDeleteDocument, { input: which });
            setAsking(false);
            if (done) onDeleted();
            else onChanged();
          }}
        >
          Alerts that it raised stay. To stop it for a while, revoke it.
        </Confirm>
      )}
    </form>
  );
}
