// Who is told of alerts in words, and whether it arrives.
import { getRouteApi } from '@tanstack/react-router';
import clsx from 'clsx';
import { Megaphone, Plus } from 'lucide-react';
import { useRef, useState } from 'react';
import { useConnection } from '../../api/useConnection';
import { SenderBadge } from '../../nouns/delivery/looks';
import { Time } from '../../nouns/time/Time';
import { useViewer } from '../../nouns/user/useViewer';
import { Button } from '../../ui/Button';
import { legible } from '../../ui/legible';
import { RecordGrid } from '../../ui/RecordGrid';
import { EmptyState, StaleBanner } from '../../ui/States';
import { useActiveRow } from '../../ui/useActiveRow';
import { useEvery } from '../../ui/useEvery';
import type { Column } from '../../ui/VirtualGrid';
import { ChannelDialog } from './ChannelDialog';
import { ChannelPanel } from './ChannelPanel';
import { type ChannelFactsFragment, ChannelListDocument } from './Channels.generated';
import { KindName } from './looks';
import { triggerText } from './words';

const route = getRouteApi('/shell/channels');
const refreshPeriod = 3_000;
const wide = '@max-[56rem]:hidden';
const phone = '@max-[30rem]:hidden';
const columns: readonly Column[] = [
  { id: 'state', title: 'State' },
  { id: 'kind', title: 'Kind', className: phone },
  { id: 'name', title: 'Name' },
  { id: 'query', title: 'Alerts', className: wide },
  { id: 'trigger', title: 'Tells', className: wide },
  { id: 'last', title: 'Last arrival' },
  { id: 'error', title: 'Last error', className: wide },
];
const template = clsx(
  'grid-cols-[6rem_9rem_minmax(9rem,2fr)_minmax(10rem,3fr)_8rem_7rem_minmax(8rem,2fr)]',
  '@max-[56rem]:grid-cols-[6rem_9rem_minmax(8rem,1fr)_7rem]',
  '@max-[30rem]:grid-cols-[6rem_minmax(6rem,1fr)_6rem]',
);

export function ChannelsPage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { viewer, mayWork } = useViewer();
  const [creating, setCreating] = useState(false);
  const noSearch = useRef<HTMLInputElement>(null); // a short list: there is nothing to search in
  const list = useConnection({ query: ChannelListDocument, variables: {}, of: ({ channels }) => channels });
  useEvery(refreshPeriod, list.refresh);
  const open = (channel?: string, replace = false) => void navigate({ search: { channel }, replace });
  const { active, activate } = useActiveRow(search.channel, (id, replace) => open(id, replace), noSearch);
  if (viewer && !mayWork) {
    return <EmptyState icon={Megaphone} title="Channels are for analysts and administrators" />;
  }
  return (
    <>
      <h1 className="sr-only">Channels</h1>
      <div className="flex flex-wrap items-center gap-2 border-b border-line bg-canvas px-3 py-2">
        <p className="text-muted">People, and the tools they work with, told of alerts.</p>
        <Button look="primary" icon={Plus} className="ml-auto" onClick={() => setCreating(true)}>
          New channel
        </Button>
      </div>
      {list.error != null && list.items && <StaleBanner error={list.error} what="The list" onRetry={list.retry} />}
      <div className="relative flex min-h-0 grow">
        <div className="flex min-w-0 grow flex-col">
          <RecordGrid
            label="Channels"
            list={list}
            empty={
              <EmptyState icon={Megaphone} title="Nobody is told of alerts">
                A channel tells of alerts in Slack, Teams, by mail, PagerDuty, Jira, GitHub or at any address: at once,
                or when nobody acknowledges them; what comes closely is summed up.
              </EmptyState>
            }
            columns={columns}
            template={template}
            row={(channel) => <Row channel={channel} />}
            activeId={active}
            onActivate={activate}
            onOpen={(id) => open(id)}
          />
        </div>
        {search.channel && (
          <ChannelPanel
            key={search.channel}
            id={search.channel}
            delivery={search.delivery}
            onOpenDelivery={(delivery) => void navigate({ search: { channel: search.channel, delivery } })}
            onChanged={list.refresh}
            onDismiss={() => open(undefined)}
          />
        )}
      </div>
      {creating && (
        <ChannelDialog
          onCancel={() => setCreating(false)}
          onDone={() => {
            setCreating(false);
            list.refresh();
          }}
        />
      )}
    </>
  );
}

function Row({ channel }: { channel: ChannelFactsFragment }) {
  const error = channel.pauseText ?? channel.lastError;
  return (
    <>
      <div role="gridcell" className="flex items-center">
        <SenderBadge state={channel.state} />
      </div>
      <div role="gridcell" className={clsx('flex min-w-0 items-center', phone)}>
        <KindName kind={channel.kind} />
      </div>
      <div role="gridcell" className="truncate font-medium" title={legible(channel.name)}>
        {legible(channel.name)}
      </div>
      <div role="gridcell" className={clsx('truncate', wide)} title={legible(channel.query)}>
        {channel.query ? (
          <code className="font-mono text-xs">{legible(channel.query)}</code>
        ) : (
          <span className="text-muted">all</span>
        )}
      </div>
      <div role="gridcell" className={clsx('truncate text-muted', wide)}>
        {triggerText(channel)}
      </div>
      <div role="gridcell" className="truncate text-muted">
        {channel.lastSuccess ? <Time at={channel.lastSuccess} /> : 'none yet'}
      </div>
      <div role="gridcell" className={clsx('truncate text-muted', wide)} title={legible(error ?? '')}>
        {legible(error ?? '')}
      </div>
    </>
  );
}
