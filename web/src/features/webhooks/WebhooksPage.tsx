// What is sent elsewhere as it happens, and whether it arrives.
import { getRouteApi } from '@tanstack/react-router';
import clsx from 'clsx';
import { Webhook as WebhookIcon } from 'lucide-react';
import { useConnection } from '../../api/useConnection';
import { SenderBadge } from '../../nouns/delivery/looks';
import { SenderList } from '../../nouns/delivery/SenderList';
import { Time } from '../../nouns/time/Time';
import { legible } from '../../ui/legible';
import type { Column } from '../../ui/VirtualGrid';
import { WebhookDialog } from './WebhookDialog';
import { WebhookPanel } from './WebhookPanel';
import { type WebhookFactsFragment, WebhookListDocument } from './Webhooks.generated';

const route = getRouteApi('/shell/webhooks');
const wide = '@max-[56rem]:hidden';
const phone = '@max-[30rem]:hidden';
const columns: readonly Column[] = [
  { id: 'state', title: 'State' },
  { id: 'name', title: 'Name' },
  { id: 'url', title: 'Address', className: wide },
  { id: 'owner', title: 'Owner', className: wide },
  { id: 'last', title: 'Last arrival', className: phone },
  { id: 'waiting', title: 'Waiting' },
];
const template = clsx(
  'grid-cols-[6rem_minmax(10rem,2fr)_minmax(12rem,3fr)_9rem_8rem_6rem]',
  '@max-[56rem]:grid-cols-[6rem_minmax(8rem,2fr)_7rem_5rem]',
  '@max-[30rem]:grid-cols-[6rem_minmax(6rem,1fr)_4rem]',
);

export function WebhooksPage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const list = useConnection({ query: WebhookListDocument, variables: {}, of: ({ webhooks }) => webhooks });
  const open = (webhook?: string, replace = false) => void navigate({ search: { webhook }, replace });
  return (
    <SenderList
      title="Webhooks"
      icon={WebhookIcon}
      intro="Changes, sent to an address as they happen."
      add="New webhook"
      none={{
        title: 'Nothing is sent elsewhere',
        children:
          'A webhook sends what a subscription says to an address: signed, in order, and again until it has arrived. What it selects is up to you.',
      }}
      list={list}
      columns={columns}
      template={template}
      row={(webhook) => <Row webhook={webhook} />}
      open={search.webhook}
      onOpen={open}
      panel={
        search.webhook && (
          <WebhookPanel
            key={search.webhook}
            id={search.webhook}
            delivery={search.delivery}
            onOpenDelivery={(delivery) => void navigate({ search: { webhook: search.webhook, delivery } })}
            onChanged={list.refresh}
            onDismiss={() => open(undefined)}
          />
        )
      }
      dialog={(done) => <WebhookDialog {...done} />}
    />
  );
}

function Row({ webhook }: { webhook: WebhookFactsFragment }) {
  return (
    <>
      <div role="gridcell" className="flex items-center">
        <SenderBadge state={webhook.state} />
      </div>
      <div role="gridcell" className="truncate font-medium" title={legible(webhook.name)}>
        {legible(webhook.name)}
      </div>
      <div role="gridcell" className={clsx('truncate text-muted', wide)} title={legible(webhook.url)}>
        {legible(webhook.url)}
      </div>
      <div role="gridcell" className={clsx('truncate text-muted', wide)}>
        {legible(webhook.owner?.displayName ?? 'gone')}
      </div>
      <div role="gridcell" className={clsx('truncate text-muted', phone)}>
        {webhook.lastSuccess ? <Time at={webhook.lastSuccess} /> : 'none yet'}
      </div>
      <div role="gridcell" className="truncate tabular-nums">
        {webhook.waiting}
      </div>
    </>
  );
}
