// Who is told of alerts in words, and whether it arrives.
import { getRouteApi } from '@tanstack/react-router';
import clsx from 'clsx';
import { Megaphone } from 'lucide-react';
import { useConnection } from '../../api/useConnection';
import { SenderBadge } from '../../nouns/delivery/looks';
import { SenderList } from '../../nouns/delivery/SenderList';
import { Time } from '../../nouns/time/Time';
import { legible } from '../../ui/legible';
import type { Column } from '../../ui/VirtualGrid';
import { ChannelDialog } from './ChannelDialog';
import { ChannelPanel } from './ChannelPanel';
import { type ChannelFactsFragment, ChannelListDocument } from './Channels.generated';
import { KindName } from './looks';
import { triggerText } from './words';

const route = getRouteApi('/shell/channels');
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
  const list = useConnection({ query: ChannelListDocument, variables: {}, of: ({ channels }) => channels });
  const open = (channel?: string, replace = false) => void navigate({ search: { channel }, replace });
  return (
    <SenderList
      title="Channels"
      icon={Megaphone}
      intro="People, and the tools they work with, told of alerts."
      add="New channel"
      none={{
        title: 'Nobody is told of alerts',
        children:
          'A channel tells of alerts in Slack, Teams, by mail, PagerDuty, Jira, GitHub or at any address: at once, or when nobody acknowledges them; what comes closely is summed up.',
      }}
      list={list}
      columns={columns}
      template={template}
      row={(channel) => <Row channel={channel} />}
      open={search.channel}
      onOpen={open}
      panel={
        search.channel && (
          <ChannelPanel
            key={search.channel}
            id={search.channel}
            delivery={search.delivery}
            onOpenDelivery={(delivery) => void navigate({ search: { channel: search.channel, delivery } })}
            onChanged={list.refresh}
            onDismiss={() => open(undefined)}
          />
        )
      }
      dialog={(done) => <ChannelDialog {...done} />}
    />
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
