// A channel: whether it works, what it sent, with body and answer, and what can be
// done about it.
import { useQuery } from '@apollo/client/react';
import { Pencil, Send, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { Body } from '../../nouns/delivery/Body';
import type { TestOutcomeFragment } from '../../nouns/delivery/Delivery.generated';
import { SenderPanel } from '../../nouns/delivery/SenderPanel';
import { SenderSwitch } from '../../nouns/delivery/SenderSwitch';
import { TestOutcome } from '../../nouns/delivery/TestOutcome';
import { useExplainedChange } from '../../nouns/journal/useExplainedChange';
import { Time } from '../../nouns/time/Time';
import { Button } from '../../ui/Button';
import { Confirm } from '../../ui/Confirm';
import { Facts } from '../../ui/Facts';
import { legible } from '../../ui/legible';
import { useEvery } from '../../ui/useEvery';
import { ChannelDialog } from './ChannelDialog';
import {
  ChannelDeleteDocument,
  ChannelDetailDocument,
  type ChannelDetailQuery,
  ChannelDisableDocument,
  ChannelEnableDocument,
  ChannelRedeliverDocument,
  ChannelTestDocument,
} from './Channels.generated';
import { kinds } from './kinds';
import { KindName } from './looks';
import { groupText, placeText, quietText, triggerText } from './words';

type Detail = NonNullable<ChannelDetailQuery['channel']>;

interface ChannelPanelProps {
  id: string;
  /** The delivery that is open. */
  delivery?: string;
  onOpenDelivery(id?: string): void;
  onChanged(): void;
  onDismiss(): void;
}

export function ChannelPanel({ id, delivery, onOpenDelivery, onChanged, onDismiss }: ChannelPanelProps) {
  const { data, error, refetch } = useQuery(ChannelDetailDocument, { variables: { id } });
  const change = useExplainedChange();
  const reload = () => void refetch().catch(() => undefined);
  useEvery(3_000, reload);
  const channel = data?.channel;
  const changed = () => {
    onChanged();
    reload();
  };
  return (
    <SenderPanel
      noun="channel"
      sender={data && (channel ?? null)}
      error={error}
      onRetry={reload}
      onDismiss={onDismiss}
      mark={channel && <KindName kind={channel.kind} />}
      actions={
        channel && (
          <Actions
            channel={channel}
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
        const done = await change(ChannelRedeliverDocument, { input: { id } });
        changed();
        return done;
      }}
      title="What is told"
    >
      {channel && <Told channel={channel} />}
    </SenderPanel>
  );
}

function Told({ channel }: { channel: Detail }) {
  const place = placeText(channel);
  return (
    <>
      <Facts
        rows={[
          [
            'Leads to',
            place && (
              <code key="p" className="font-mono text-xs break-all">
                {legible(place)}
              </code>
            ),
          ],
          [
            'Secret',
            channel.secretAt ? (
              <span key="s">
                entered <Time at={channel.secretAt} />
              </span>
            ) : (
              'none'
            ),
          ],
          [
            'Alerts',
            channel.query ? (
              <code key="q" className="font-mono text-xs break-all">
                {legible(channel.query)}
              </code>
            ) : (
              'all'
            ),
          ],
          ['Tells', channel.trigger === 'ALERT' ? 'at once' : `${triggerText(channel)}, if nobody acknowledges them`],
          ['Grouping', groupText(channel.groupMinutes)],
          ['Quiet hours', channel.quiet && quietText(channel.quiet)],
          ['Reads as', channel.role.toLowerCase()],
        ]}
      />
      <div className="mt-2 space-y-2">
        {channel.template.subject && <Body label="Template of the heading" text={channel.template.subject} />}
        {channel.template.text && <Body label="Template of the text" text={channel.template.text} />}
      </div>
    </>
  );
}

function Actions({ channel, onChanged, onGone }: { channel: Detail; onChanged(): void; onGone(): void }) {
  const change = useExplainedChange();
  const [doing, setDoing] = useState<'edit' | 'delete' | null>(null);
  const [testing, setTesting] = useState(false);
  const [outcome, setOutcome] = useState<TestOutcomeFragment | null>(null);
  const { id, version } = channel;
  const { becomes, stays } = kinds[channel.kind];
  const stop = () => setDoing(null);
  const test = async () => {
    setTesting(true);
    const sent = await change(ChannelTestDocument, { input: { id } });
    setTesting(false);
    setOutcome(sent?.delivery ?? null);
    onChanged();
  };
  return (
    <div className="flex flex-wrap items-center gap-2">
      <SenderSwitch
        sender={channel}
        onToggle={async (on) => {
          const input = { id, expectedVersion: version };
          if (on) await change(ChannelEnableDocument, { input });
          else await change(ChannelDisableDocument, { input });
          onChanged();
        }}
        onGoOn={async () => {
          await change(ChannelEnableDocument, { input: { id } });
          onChanged();
        }}
      />
      <Button icon={Send} disabled={testing} onClick={() => void test()}>
        {stays ? `Send a test: it makes ${becomes}` : 'Send a test'}
      </Button>
      <Button icon={Pencil} onClick={() => setDoing('edit')}>
        Edit
      </Button>
      <Button icon={Trash2} look="danger" onClick={() => setDoing('delete')}>
        Delete
      </Button>
      {outcome && <TestOutcome delivery={outcome} />}
      {doing === 'edit' && (
        <ChannelDialog
          edited={channel}
          onCancel={stop}
          onDone={() => {
            stop();
            onChanged();
          }}
        />
      )}
      {doing === 'delete' && (
        <Confirm
          title={`Delete ${channel.name}?`}
          submit="Delete"
          onCancel={stop}
          onConfirm={async () => {
            const gone = await change(ChannelDeleteDocument, { input: { id, expectedVersion: version } });
            stop();
            if (gone) onGone();
            else onChanged();
          }}
        >
          Its log goes with it, and what waits is not sent. To stop it for a while, switch it off.
        </Confirm>
      )}
    </div>
  );
}
