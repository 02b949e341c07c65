// A webhook: whether it works, what it sent, with body and answer, and what can be
// done about it.
import { useQuery } from '@apollo/client/react';
import { KeyRound, Pencil, Play, RotateCcw, SearchX, Send, Trash2 } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import { JournalList } from '../../nouns/journal/JournalList';
import { useExplainedChange } from '../../nouns/journal/useExplainedChange';
import { Time } from '../../nouns/time/Time';
import { Banner } from '../../ui/Banner';
import { Button } from '../../ui/Button';
import { Confirm } from '../../ui/Confirm';
import { Dialog } from '../../ui/Dialog';
import { Facts } from '../../ui/Facts';
import { TextField } from '../../ui/Field';
import { legible } from '../../ui/legible';
import { notify } from '../../ui/notices';
import { Section } from '../../ui/Section';
import { Side } from '../../ui/Side';
import { EmptyState, ErrorState, Skeleton } from '../../ui/States';
import { Switch } from '../../ui/Switch';
import { useEvery } from '../../ui/useEvery';
import { DeliveryBadge, WebhookBadge } from './looks';
import { pretty } from './operations';
import { Body, SecretDialog, WebhookDialog } from './WebhookDialog';
import {
  DeliveryDetailDocument,
  WebhookDeleteDocument,
  WebhookDetailDocument,
  type WebhookDetailQuery,
  WebhookDisableDocument,
  WebhookEnableDocument,
  WebhookRedeliverDocument,
  WebhookReplayDocument,
  WebhookRotateSecretDocument,
  WebhookTestDocument,
} from './Webhooks.generated';

type Detail = NonNullable<WebhookDetailQuery['webhook']>;

interface WebhookPanelProps {
  id: string;
  onChanged(): void;
  onDismiss(): void;
}

export function WebhookPanel({ id, onChanged, onDismiss }: WebhookPanelProps) {
  const { data, error, refetch } = useQuery(WebhookDetailDocument, { variables: { id } });
  const [delivery, setDelivery] = useState<string | null>(null);
  const reload = () => void refetch().catch(() => undefined);
  useEvery(3_000, reload);
  const webhook = data?.webhook;
  const changed = () => {
    onChanged();
    reload();
  };
  return (
    <Side label="Webhook" onDismiss={onDismiss}>
      {webhook ? (
        <div className="space-y-5">
          <div>
            <h3 className="text-lg font-semibold break-words">{legible(webhook.name)}</h3>
            <p className="flex flex-wrap items-center gap-2 text-xs text-muted">
              <WebhookBadge state={webhook.state} />
              <span>
                of {legible(webhook.owner?.displayName ?? 'somebody who is gone')}, made <Time at={webhook.createdAt} />
              </span>
            </p>
          </div>
          {webhook.pauseText && (
            <Banner tone="warn">
              It stopped: {legible(webhook.pauseText)}. Nothing is lost while the journal is kept.
            </Banner>
          )}
          {!webhook.pauseText && webhook.failingSince && (
            <Banner tone="warn">
              Nothing has arrived since <Time at={webhook.failingSince} />: {legible(webhook.lastError ?? '')}. It is
              tried again for three days.
            </Banner>
          )}
          <Actions
            webhook={webhook}
            onChanged={changed}
            onGone={() => {
              onChanged();
              onDismiss();
            }}
          />
          <Section title="Deliveries">
            {webhook.deliveries.nodes.length === 0 ? (
              <p className="text-muted">Nothing yet: what changes from now on is sent.</p>
            ) : (
              <ul className="divide-y divide-line">
                {webhook.deliveries.nodes.map((each) => (
                  <li key={each.id}>
                    <button
                      type="button"
                      className="flex min-h-7 w-full items-center gap-2 py-1 text-left text-xs hover:bg-hover"
                      onClick={() => setDelivery(each.id)}
                    >
                      <span className="w-12 shrink-0 tabular-nums">#{each.number}</span>
                      <span className="w-20 shrink-0">
                        <DeliveryBadge state={each.state} attempts={each.attempts} />
                      </span>
                      <span className="min-w-0 grow truncate text-muted">
                        {each.test ? 'test, ' : ''}
                        {each.bytes.toLocaleString('en')} bytes
                        {each.attempts > 1 && `, ${each.attempts} tries`}
                      </span>
                      <span className="shrink-0 text-muted">
                        <Time at={each.doneAt ?? each.createdAt} />
                      </span>
                    </button>
                  </li>
                ))}
              </ul>
            )}
          </Section>
          <Section title="What is sent">
            <Facts
              rows={[
                [
                  'Address',
                  <code key="u" className="font-mono text-xs break-all">
                    {legible(webhook.url)}
                  </code>,
                ],
                ['Order', webhook.concurrency === 1 ? 'one after another' : `${webhook.concurrency} at once`],
                ['Reads as', webhook.role.toLowerCase()],
                ['Secret', <Time key="s" at={webhook.secretAt} />],
                ...(webhook.previousSecretUntil
                  ? ([['The one before', <Time key="p" at={webhook.previousSecretUntil} />]] as const)
                  : []),
              ]}
            />
            <div className="mt-2 space-y-2">
              <Body label="Operation" text={webhook.document} />
              <Body label="Variables" text={JSON.stringify(webhook.variables, null, 2)} />
            </div>
          </Section>
          <Section title="History">
            <JournalList entries={webhook.journal.nodes} more={webhook.journal.pageInfo.hasNextPage} />
          </Section>
          {delivery && <DeliveryDialog id={delivery} onClose={() => setDelivery(null)} onChanged={changed} />}
        </div>
      ) : error ? (
        <ErrorState title="The webhook cannot be loaded" error={error} onRetry={reload} />
      ) : data ? (
        <EmptyState icon={SearchX} title="There is no such webhook, or it is not yours" />
      ) : (
        <Skeleton className="h-96" />
      )}
    </Side>
  );
}

type Doing = 'edit' | 'delete' | 'rotate' | 'replay';

function Actions({ webhook, onChanged, onGone }: { webhook: Detail; onChanged(): void; onGone(): void }) {
  const change = useExplainedChange();
  const [doing, setDoing] = useState<Doing | null>(null);
  const [testing, setTesting] = useState(false);
  const [secret, setSecret] = useState<string | null>(null);
  const { id, version } = webhook;
  const stop = () => setDoing(null);
  const done = () => {
    stop();
    onChanged();
  };
  const test = async () => {
    setTesting(true);
    const sent = await change(WebhookTestDocument, { input: { id } });
    setTesting(false);
    const last = sent?.delivery?.log.at(-1);
    if (sent?.delivery?.state === 'DELIVERED') notify('info', `The test arrived: HTTP ${last?.status}.`);
    else if (sent) notify('warn', `The test did not arrive: ${last?.error ?? 'no answer'}.`);
    onChanged();
  };
  return (
    <div className="flex flex-wrap items-center gap-2">
      <Switch
        label="Switched on"
        on={webhook.enabled}
        onToggle={async (on) => {
          const input = { id, expectedVersion: version };
          if (on) await change(WebhookEnableDocument, { input });
          else await change(WebhookDisableDocument, { input });
          onChanged();
        }}
      />
      {webhook.enabled && webhook.state !== 'ACTIVE' && (
        <Button
          icon={Play}
          onClick={async () => {
            await change(WebhookEnableDocument, { input: { id } });
            onChanged();
          }}
        >
          {webhook.state === 'PAUSED' ? 'Go on' : 'Try now'}
        </Button>
      )}
      <Button icon={Send} disabled={testing} onClick={() => void test()}>
        Send a test
      </Button>
      <Button icon={Pencil} onClick={() => setDoing('edit')}>
        Edit
      </Button>
      <Button icon={RotateCcw} onClick={() => setDoing('replay')}>
        Replay
      </Button>
      <Button icon={KeyRound} onClick={() => setDoing('rotate')}>
        New secret
      </Button>
      <Button icon={Trash2} look="danger" onClick={() => setDoing('delete')}>
        Delete
      </Button>
      {doing === 'edit' && <WebhookDialog edited={webhook} onCancel={stop} onDone={done} />}
      {doing === 'replay' && <ReplayDialog id={id} onCancel={stop} onDone={done} />}
      {doing === 'rotate' && (
        <Confirm
          title="Make a new secret?"
          submit="Make a new secret"
          onCancel={stop}
          onConfirm={async () => {
            const made = await change(WebhookRotateSecretDocument, { input: { id } });
            setSecret(made?.secret ?? null);
            done();
          }}
        >
          For 24 hours both sign, so that the receiver can change over.
        </Confirm>
      )}
      {doing === 'delete' && (
        <Confirm
          title={`Delete ${webhook.name}?`}
          submit="Delete"
          onCancel={stop}
          onConfirm={async () => {
            const gone = await change(WebhookDeleteDocument, { input: { id, expectedVersion: version } });
            stop();
            if (gone) onGone();
            else onChanged();
          }}
        >
          Its log goes with it, and what waits is not sent. To stop it for a while, switch it off.
        </Confirm>
      )}
      {secret && <SecretDialog secret={secret} onClose={() => setSecret(null)} />}
    </div>
  );
}

function ReplayDialog({ id, onCancel, onDone }: { id: string; onCancel(): void; onDone(): void }) {
  const change = useExplainedChange();
  const [since, setSince] = useState('');
  const send = async (event: FormEvent) => {
    event.preventDefault();
    const done = await change(WebhookReplayDocument, { input: { id, since: new Date(since).toISOString() } });
    if (!done) return;
    notify('info', 'What came since is sent again.');
    onDone();
  };
  return (
    <Dialog title="Replay" onClose={onCancel}>
      <form onSubmit={send} className="space-y-4">
        <TextField
          label="Send again what came since"
          type="datetime-local"
          required
          value={since}
          onChange={(e) => setSince(e.target.value)}
          hint="As far back as the journal is kept. Receivers get what they have under new ids."
        />
        <div className="flex justify-end gap-2">
          <Button onClick={onCancel}>Cancel</Button>
          <Button type="submit" look="primary" disabled={!since}>
            Replay
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function DeliveryDialog({ id, onClose, onChanged }: { id: string; onClose(): void; onChanged(): void }) {
  const change = useExplainedChange();
  const { data, error, refetch } = useQuery(DeliveryDetailDocument, { variables: { id }, fetchPolicy: 'network-only' });
  const reload = () => void refetch().catch(() => undefined);
  useEvery(2_000, reload);
  const delivery = data?.delivery;
  return (
    <Dialog title={delivery ? `Delivery ${delivery.number}` : 'Delivery'} onClose={onClose}>
      {delivery ? (
        <div className="space-y-4">
          <div className="flex flex-wrap items-center gap-2">
            <DeliveryBadge state={delivery.state} attempts={delivery.attempts} />
            <code className="font-mono text-xs break-all text-muted">{delivery.messageId}</code>
          </div>
          {delivery.nextAt && delivery.attempts > 0 && (
            <p className="text-xs text-muted">
              The next try: <Time at={delivery.nextAt} />
            </p>
          )}
          <Section title="Tries">
            {delivery.log.length === 0 ? (
              <p className="text-muted">None yet.</p>
            ) : (
              <ol className="space-y-2">
                {delivery.log.map((attempt) => (
                  <li key={attempt.at} className="text-xs">
                    <p>
                      <Time at={attempt.at} />, {attempt.took} ms: {legible(attempt.error ?? `HTTP ${attempt.status}`)}
                    </p>
                    {attempt.response && (
                      <pre className="mt-1 rounded-md bg-raised p-1 font-mono break-all whitespace-pre-wrap">
                        {legible(attempt.response)}
                      </pre>
                    )}
                  </li>
                ))}
              </ol>
            )}
          </Section>
          <Section title="Body">
            {delivery.body ? (
              <Body label="Body of the delivery" text={pretty(delivery.body)} />
            ) : (
              <p className="text-muted">It is kept no longer.</p>
            )}
          </Section>
          <div className="flex justify-end gap-2">
            {delivery.body && !delivery.test && (
              <Button
                icon={Send}
                onClick={async () => {
                  const done = await change(WebhookRedeliverDocument, { input: { id } });
                  if (done) notify('info', 'It is sent again under the same id.');
                  reload();
                  onChanged();
                }}
              >
                {delivery.state === 'PENDING' ? 'Try now' : 'Send again'}
              </Button>
            )}
            <Button look="primary" onClick={onClose}>
              Close
            </Button>
          </div>
        </div>
      ) : error ? (
        <ErrorState title="The delivery cannot be loaded" error={error} onRetry={reload} />
      ) : data ? (
        <EmptyState icon={SearchX} title="The delivery is kept no longer" />
      ) : (
        <Skeleton className="h-64" />
      )}
    </Dialog>
  );
}
