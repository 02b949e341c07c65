// A suppression: what it hides, why, and what it hid.
import { useQuery } from '@apollo/client/react';
import { Link } from '@tanstack/react-router';
import { Pencil, SearchX, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { JournalList } from '../../nouns/journal/JournalList';
import { useExplainedChange } from '../../nouns/journal/useExplainedChange';
import { actorText } from '../../nouns/journal/words';
import { conditionOf, conditionText } from '../../nouns/suppression/draft';
import { StateBadge } from '../../nouns/suppression/StateBadge';
import { SuppressionDialog } from '../../nouns/suppression/SuppressionDialog';
import { Time } from '../../nouns/time/Time';
import { useViewer } from '../../nouns/user/useViewer';
import { Button } from '../../ui/Button';
import { Confirm } from '../../ui/Confirm';
import { Facts } from '../../ui/Facts';
import { legible } from '../../ui/legible';
import { Section } from '../../ui/Section';
import { Side } from '../../ui/Side';
import { EmptyState, ErrorState, Skeleton } from '../../ui/States';
import { Switch } from '../../ui/Switch';
import { useEvery } from '../../ui/useEvery';
import {
  SuppressionDeleteDocument,
  SuppressionDetailDocument,
  type SuppressionDetailQuery,
  SuppressionDisableDocument,
  SuppressionEnableDocument,
} from './Suppressions.generated';

type Detail = NonNullable<SuppressionDetailQuery['suppression']>;

interface SuppressionPanelProps {
  id: string;
  onChanged(): void;
  onDismiss(): void;
}

export function SuppressionPanel({ id, onChanged, onDismiss }: SuppressionPanelProps) {
  const { mayWork } = useViewer();
  const { data, error, refetch } = useQuery(SuppressionDetailDocument, { variables: { id } });
  const reload = () => void refetch().catch(() => undefined);
  useEvery(5_000, reload);
  const suppression = data?.suppression;
  return (
    <Side label="Suppression" onDismiss={onDismiss}>
      {suppression ? (
        <div className="space-y-5">
          <div>
            <h3 className="text-lg font-semibold break-words">{legible(suppression.name)}</h3>
            <p className="flex flex-wrap items-center gap-2 text-xs text-muted">
              <StateBadge state={suppression.state} />
              <span>
                made by {actorText(suppression.createdBy)} <Time at={suppression.createdAt} />
              </span>
            </p>
          </div>
          {mayWork && (
            <Actions
              suppression={suppression}
              onGone={() => {
                onChanged();
                onDismiss();
              }}
              onChanged={() => {
                onChanged();
                reload();
              }}
            />
          )}
          <Section title="Why">
            <p className="break-words whitespace-pre-line">{legible(suppression.reason)}</p>
          </Section>
          <Section title="Which findings">
            <Facts
              rows={[
                ['Rules', suppression.anyRule ? 'any' : <RuleLinks key="r" rules={suppression.rules} />],
                ['Alerts', <Line key="a" filter={suppression.alertFilter} />],
                ['Events', <Line key="e" filter={suppression.eventFilter} />],
                ['Until', suppression.until ? <Time key="u" at={suppression.until} /> : 'no end'],
              ]}
            />
          </Section>
          <Section title={`Hidden: ${suppression.hits.toLocaleString('en')}`}>
            {suppression.findings.nodes.length === 0 ? (
              <p className="text-muted">Nothing yet.</p>
            ) : (
              <ul className="space-y-1">
                {suppression.findings.nodes.map((finding, i) => (
                  <li
                    // biome-ignore lint/suspicious/noArrayIndexKey: two of a rule may be of one event
                    key={i}
                    className="flex items-center gap-2 text-xs"
                  >
                    <span className="w-16 shrink-0 text-muted">
                      <Time at={finding.at} />
                    </span>
                    {finding.event ? (
                      <Link
                        to="/events"
                        search={{ event: finding.event.id }}
                        className="min-w-0 grow truncate py-1 hover:underline"
                      >
                        {legible(
                          [finding.rule?.title, finding.event.host, finding.event.user].filter(Boolean).join(' · '),
                        )}
                      </Link>
                    ) : (
                      <span className="text-muted">An event that is past retention</span>
                    )}
                  </li>
                ))}
              </ul>
            )}
          </Section>
          <Section title="History">
            <JournalList entries={suppression.journal.nodes} more={suppression.journal.pageInfo.hasNextPage} />
          </Section>
        </div>
      ) : error ? (
        <ErrorState title="The suppression cannot be loaded" error={error} onRetry={reload} />
      ) : data ? (
        <EmptyState icon={SearchX} title="There is no such suppression" />
      ) : (
        <Skeleton className="h-96" />
      )}
    </Side>
  );
}

function Actions({ suppression, onChanged, onGone }: { suppression: Detail; onChanged(): void; onGone(): void }) {
  const change = useExplainedChange();
  const [editing, setEditing] = useState(false);
  const [deleting, setDeleting] = useState(false);
  const { id, version } = suppression;
  const input = { id, expectedVersion: version };
  return (
    <div className="flex flex-wrap items-center gap-2">
      <Switch
        label="Switched on"
        on={suppression.enabled}
        onToggle={async (on) => {
          if (on) await change(SuppressionEnableDocument, { input });
          else await change(SuppressionDisableDocument, { input });
          onChanged();
        }}
      />
      <Button icon={Pencil} onClick={() => setEditing(true)}>
        Edit
      </Button>
      <Button icon={Trash2} look="danger" onClick={() => setDeleting(true)}>
        Delete
      </Button>
      {editing && (
        <SuppressionDialog
          edited={suppression}
          onCancel={() => setEditing(false)}
          onDone={() => {
            setEditing(false);
            onChanged();
          }}
        />
      )}
      {deleting && (
        <Confirm
          title="Delete the suppression?"
          submit="Delete"
          onCancel={() => setDeleting(false)}
          onConfirm={async () => {
            const done = await change(SuppressionDeleteDocument, { input });
            setDeleting(false);
            if (done) onGone();
            else onChanged();
          }}
        >
          Its findings raise alerts again, and what it counted goes with it. To keep the count, switch it off.
        </Confirm>
      )}
    </div>
  );
}

function RuleLinks({ rules }: { rules: readonly { id: string; title: string }[] }) {
  return (
    <ul>
      {rules.map((rule) => (
        <li key={rule.id}>
          <Link to="/rules" search={{ rule: rule.id }} className="inline-block py-0.5 hover:underline">
            {legible(rule.title)}
          </Link>
        </li>
      ))}
    </ul>
  );
}

function Line({ filter }: { filter: unknown }) {
  const text = conditionText(conditionOf(filter));
  return text ? <code className="font-mono text-xs break-all">{legible(text)}</code> : <span>all</span>;
}
