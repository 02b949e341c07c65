// An asset: why it is at risk, what people said of it.
import { useQuery } from '@apollo/client/react';
import { Link } from '@tanstack/react-router';
import { SearchX } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import type { Criticality } from '../../gql/schema';
import { JournalList } from '../../nouns/journal/JournalList';
import { useExplainedChange } from '../../nouns/journal/useExplainedChange';
import { SeverityBadge } from '../../nouns/severity/SeverityBadge';
import { DurationField } from '../../nouns/time/DurationField';
import { Time } from '../../nouns/time/Time';
import { useViewer } from '../../nouns/user/useViewer';
import { Button } from '../../ui/Button';
import { Facts } from '../../ui/Facts';
import { Choice, TextArea, TextField } from '../../ui/Field';
import { legible } from '../../ui/legible';
import { notify } from '../../ui/notices';
import { Section } from '../../ui/Section';
import { Side } from '../../ui/Side';
import { EmptyState, ErrorState, Skeleton } from '../../ui/States';
import { AssetDetailDocument, type AssetDetailQuery, AssetUpdateDocument } from './Assets.generated';
import { criticalities } from './filters';

type Asset = NonNullable<AssetDetailQuery['asset']>;

interface AssetPanelProps {
  id: string;
  onChanged(): void;
  onDismiss(): void;
}

export function AssetPanel({ id, onChanged, onDismiss }: AssetPanelProps) {
  const { mayWork } = useViewer();
  const { data, error, refetch } = useQuery(AssetDetailDocument, { variables: { id } });
  const asset = data?.asset;
  return (
    <Side label="Asset" onDismiss={onDismiss}>
      {asset ? (
        <div className="space-y-5">
          <div>
            <h3 className="text-lg font-semibold break-all">
              <Link
                to="/entity"
                search={{ kind: asset.kind.toLowerCase(), value: asset.name }}
                className="hover:underline"
              >
                {legible(asset.name)}
              </Link>
            </h3>
            <p className="text-xs text-muted">
              {asset.kind === 'HOST' ? 'Host' : 'User'} · seen <Time at={asset.lastSeen} />, first{' '}
              <Time at={asset.firstSeen} />
              {asset.silentSince && (
                <>
                  {' '}
                  · silent since <Time at={asset.silentSince} />
                </>
              )}
            </p>
          </div>
          <Section title={`Risk ${Math.round(asset.risk.score)}`}>
            <p className="mb-2 font-mono text-2xs text-muted">{asset.risk.formula}</p>
            {asset.risk.factors.length === 0 && <p className="text-muted">No open alerts add to it.</p>}
            <ul className="space-y-1">
              {asset.risk.factors.map((factor) => (
                <li key={factor.alert.id} className="flex items-center gap-2">
                  <span
                    className="w-10 shrink-0 text-right tabular-nums"
                    title={`${factor.weight} × ${factor.decay.toFixed(2)} × ${factor.criticality}`}
                  >
                    {factor.points.toFixed(1)}
                  </span>
                  <SeverityBadge severity={factor.alert.severity} />
                  <Link
                    to="/alerts"
                    search={{ alert: factor.alert.id, status: 'all' }}
                    className="min-w-0 grow truncate hover:underline"
                  >
                    {legible(factor.alert.title)}
                  </Link>
                  <span className="shrink-0 text-xs text-muted">
                    <Time at={factor.alert.lastSeen} />
                  </span>
                </li>
              ))}
            </ul>
          </Section>
          <Section title="What it is">
            {mayWork ? (
              <AssetForm
                key={asset.version}
                asset={asset}
                onChanged={() => {
                  onChanged();
                  void refetch().catch(() => undefined);
                }}
              />
            ) : (
              <Facts
                rows={[
                  ['Criticality', asset.criticality.toLowerCase()],
                  ['Owner', asset.owner],
                  ['Tags', asset.tags.join(', ')],
                  ['Note', asset.note],
                ]}
              />
            )}
          </Section>
          <Section title="History">
            <JournalList entries={asset.journal.nodes} more={asset.journal.pageInfo.hasNextPage} />
          </Section>
        </div>
      ) : error ? (
        <ErrorState
          title="The asset cannot be loaded"
          error={error}
          onRetry={() => void refetch().catch(() => undefined)}
        />
      ) : data ? (
        <EmptyState icon={SearchX} title="There is no such asset" />
      ) : (
        <Skeleton className="h-96" />
      )}
    </Side>
  );
}

function AssetForm({ asset, onChanged }: { asset: Asset; onChanged(): void }) {
  const change = useExplainedChange();
  const [criticality, setCriticality] = useState<Criticality>(asset.criticality);
  const [owner, setOwner] = useState(asset.owner);
  const [tags, setTags] = useState(asset.tags.join(', '));
  const [note, setNote] = useState(asset.note);
  const [silentAfter, setSilentAfter] = useState(asset.silentAfter ?? '');
  const send = async (event: FormEvent) => {
    event.preventDefault();
    const done = await change(AssetUpdateDocument, {
      input: {
        id: asset.id,
        expectedVersion: asset.version,
        criticality,
        owner: owner.trim(),
        tags: tags
          .split(',')
          .map((tag) => tag.trim())
          .filter(Boolean),
        note,
        silentAfter: silentAfter.trim() || null,
      },
    });
    if (done) notify('info', 'The asset is saved.');
    onChanged();
  };
  return (
    <form onSubmit={send} className="space-y-3">
      <div className="grid gap-3 sm:grid-cols-2">
        <Choice
          label="Criticality"
          value={criticality}
          options={criticalities.map((c) => [c, c.charAt(0) + c.slice(1).toLowerCase()] as const)}
          onChange={(value) => setCriticality(value as Criticality)}
        />
        <TextField label="Owner" value={owner} maxLength={200} onChange={(e) => setOwner(e.target.value)} />
        <TextField label="Tags, with commas between" value={tags} onChange={(e) => setTags(e.target.value)} />
        <DurationField
          label="Silent after"
          hint="Without an event; empty: never"
          value={silentAfter}
          onChange={setSilentAfter}
        />
      </div>
      <TextArea label="Note" value={note} onChange={(e) => setNote(e.target.value)} />
      <Button type="submit" look="primary">
        Save
      </Button>
    </form>
  );
}
