// What is sent elsewhere as it happens, and whether it arrives.
import { getRouteApi } from '@tanstack/react-router';
import clsx from 'clsx';
import { Plus, Webhook as WebhookIcon } from 'lucide-react';
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
import { WebhookDialog } from './WebhookDialog';
import { WebhookPanel } from './WebhookPanel';
import { type WebhookFactsFragment, WebhookListDocument } from './Webhooks.generated';

const route = getRouteApi('/shell/webhooks');
const refreshPeriod = 3_000;
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
  const { viewer, mayWork } = useViewer();
  const [creating, setCreating] = useState(false);
  const noSearch = useRef<HTMLInputElement>(null); // a short list: there is nothing to search in
  const list = useConnection({ query: WebhookListDocument, variables: {}, of: ({ webhooks }) => webhooks });
  useEvery(refreshPeriod, list.refresh);
  const open = (webhook?: string, replace = false) => void navigate({ search: { webhook }, replace });
  const { active, activate } = useActiveRow(search.webhook, (id, replace) => open(id, replace), noSearch);
  if (viewer && !mayWork) {
    return <EmptyState icon={WebhookIcon} title="Webhooks are for analysts and administrators" />;
  }
  return (
    <>
      <h1 className="sr-only">Webhooks</h1>
      <div className="flex flex-wrap items-center gap-2 border-b border-line bg-canvas px-3 py-2">
        <p className="text-muted">Changes, sent to an address as they happen.</p>
        <Button look="primary" icon={Plus} className="ml-auto" onClick={() => setCreating(true)}>
          New webhook
        </Button>
      </div>
      {list.error != null && list.items && <StaleBanner error={list.error} what="The list" onRetry={list.retry} />}
      <div className="relative flex min-h-0 grow">
        <div className="flex min-w-0 grow flex-col">
          <RecordGrid
            label="Webhooks"
            list={list}
            empty={
              <EmptyState icon={WebhookIcon} title="Nothing is sent elsewhere">
                A webhook sends what a subscription says to an address: signed, in order, and again until it has
                arrived. What it selects is up to you.
              </EmptyState>
            }
            columns={columns}
            template={template}
            row={(webhook) => <Row webhook={webhook} />}
            activeId={active}
            onActivate={activate}
            onOpen={(id) => open(id)}
          />
        </div>
        {search.webhook && (
          <WebhookPanel
            key={search.webhook}
            id={search.webhook}
            delivery={search.delivery}
            onOpenDelivery={(delivery) => void navigate({ search: { webhook: search.webhook, delivery } })}
            onChanged={list.refresh}
            onDismiss={() => open(undefined)}
          />
        )}
      </div>
      {creating && (
        <WebhookDialog
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
