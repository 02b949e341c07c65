// A webhook: whether it works, what it sent, with body and answer, and what can be
// done about it.
import { useQuery } from '@apollo/client/react';
import { KeyRound, Pencil, RotateCcw, Send, Trash2 } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import { Body } from '../../nouns/delivery/Body';
import type { TestOutcomeFragment } from '../../nouns/delivery/Delivery.generated';
import { SenderPanel } from '../../nouns/delivery/SenderPanel';
import { SenderSwitch } from '../../nouns/delivery/SenderSwitch';
import { TestOutcome } from '../../nouns/delivery/TestOutcome';
import { useExplainedChange } from '../../nouns/journal/useExplainedChange';
import { Time } from '../../nouns/time/Time';
import { Button } from '../../ui/Button';
import { Confirm } from '../../ui/Confirm';
import { Dialog } from '../../ui/Dialog';
import { Facts } from '../../ui/Facts';
import { TextField } from '../../ui/Field';
import { legible } from '../../ui/legible';
import { notify } from '../../ui/notices';
import { useEvery } from '../../ui/useEvery';
import { SecretDialog, WebhookDialog } from './WebhookDialog';
import {
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
  /** The delivery that is open. */
  delivery?: string;
  onOpenDelivery(id?: string): void;
  onChanged(): void;
  onDismiss(): void;
}

export function WebhookPanel({ id, delivery, onOpenDelivery, onChanged, onDismiss }: WebhookPanelProps) {
  const { data, error, refetch } = useQuery(WebhookDetailDocument, { variables: { id } });
  const change = useExplainedChange();
  const reload = () => void refetch().catch(() => undefined);
  useEvery(3_000, reload);
  const webhook = data?.webhook;
  const changed = () => {
    onChanged();
    reload();
  };
  return (
    <SenderPanel
      noun="webhook"
      sender={data && (webhook ?? null)}
      error={error}
      onRetry={reload}
      onDismiss={onDismiss}
      actions={
        webhook && (
          <Actions
            webhook={webhook}
            onChanged={changed}
            onGone={() => {
              onChanged();
              onDismiss();
            }}
          />
        )
      }
      delivery={delivery}
      onOpenDelivery={onOpenDelivery}
      onRedeliver={async (id) => {
        const done = await change(WebhookRedeliverDocument, { input: { id } });
        changed();
        return done;
      }}
      title="What is sent"
    >
      {webhook && <Sent webhook={webhook} />}
    </SenderPanel>
  );
}

function Sent({ webhook }: { webhook: Detail }) {
  return (
    <>
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
          ['Secret made', <Time key="s" at={webhook.secretAt} />],
          ...(webhook.previousSecretUntil
            ? ([['The one before', <Time key="p" at={webhook.previousSecretUntil} />]] as const)
            : []),
        ]}
      />
      <div className="mt-2 space-y-2">
        <Body label="Operation" text={webhook.document} />
        <Body label="Variables" text={JSON.stringify(webhook.variables, null, 2)} />
      </div>
    </>
  );
}

type Doing = 'edit' | 'delete' | 'rotate' | 'replay';

function Actions({ webhook, onChanged, onGone }: { webhook: Detail; onChanged(): void; onGone(): void }) {
  const change = useExplainedChange();
  const [doing, setDoing] = useState<Doing | null>(null);
  const [testing, setTesting] = useState(false);
  const [outcome, setOutcome] = useState<TestOutcomeFragment | null>(null);
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
    setOutcome(sent?.delivery ?? null);
    onChanged();
  };
  return (
    <div className="flex flex-wrap items-center gap-2">
      <SenderSwitch
        sender={webhook}
        onToggle={async (on) => {
          const input = { id, expectedVersion: version };
          if (on) await change(WebhookEnableDocument, { input });
          else await change(WebhookDisableDocument, { input });
          onChanged();
        }}
        onGoOn={async () => {
          await change(WebhookEnableDocument, { input: { id } });
          onChanged();
        }}
      />
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
      {outcome && <TestOutcome delivery={outcome} />}
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
