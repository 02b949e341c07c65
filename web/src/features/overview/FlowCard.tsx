// Whether what should come in and go out does: shippers, feeds, replicas, hosts
// that fell silent.
import { useQuery } from '@apollo/client/react';
import { Link } from '@tanstack/react-router';
import { CircleCheck, TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import { ShipperBadge } from '../../nouns/shipper/ShipperBadge';
import { shipperState } from '../../nouns/shipper/shipper';
import { useViewer } from '../../nouns/user/useViewer';
import { Card } from '../../ui/Card';
import { legible } from '../../ui/legible';
import { ErrorState, Skeleton } from '../../ui/States';
import { OverviewHealthDocument, type OverviewHealthQuery } from './Overview.generated';

const period = 10_000;
const mostShippers = 4;
/** From how many seconds on a feed counts as behind. */
const late = 5;

export function FlowCard() {
  const { viewer, mayAdminister } = useViewer();
  const { data, error, refetch } = useQuery(OverviewHealthDocument, {
    variables: { admin: mayAdminister },
    pollInterval: period,
    skip: !viewer,
  });
  return (
    <Card
      title="Feeds and shippers"
      action={
        <Link to="/health" className="text-accent underline underline-offset-2">
          Health
        </Link>
      }
    >
      {data ? (
        <Flow data={data} />
      ) : error ? (
        <ErrorState
          title="Their state cannot be loaded"
          error={error}
          onRetry={() => void refetch().catch(() => undefined)}
        />
      ) : (
        <Skeleton className="h-32" />
      )}
    </Card>
  );
}

function Flow({ data }: { data: OverviewHealthQuery }) {
  const feeds = data.feedConsumers?.nodes ?? data.viewer.feeds;
  const behind = feeds.filter((feed) => feed.lagSeconds > late);
  const { replicas, complete } = data.serverHealth;
  const ill = replicas.filter((r) => !r.redis || r.databaseSeconds === null);
  const order = { silent: 0, sending: 1, unused: 2 };
  const shippers = data.tokens.nodes
    .filter((token) => token.scopes.includes('INGEST'))
    .map((token) => ({ ...token, state: shipperState(token.lastUsedAt, Date.now()) }))
    .sort((a, b) => order[a.state] - order[b.state] || (b.lastUsedAt ?? '').localeCompare(a.lastUsedAt ?? ''));
  const silent = data.silent.nodes.length;
  return (
    <ul className="space-y-1.5 text-sm">
      <State well={complete && ill.length === 0} name="Replicas">
        {ill.length > 0
          ? `${ill.length} of ${replicas.length} without ${ill.some((r) => r.databaseSeconds === null) ? 'database' : 'Redis'}`
          : complete
            ? `${replicas.length} up`
            : `${replicas.length} up, another does not answer`}
      </State>
      <State well={behind.length === 0} name={data.feedConsumers ? 'Feeds' : 'Your feeds'}>
        {behind.length > 0
          ? `${behind.length} of ${feeds.length} behind, by ${Math.max(...behind.map((f) => f.lagSeconds)).toFixed(0)} s`
          : `${feeds.length} up to date`}
      </State>
      <State well={silent === 0} name="Hosts and users">
        {silent === 0 ? (
          'None silent'
        ) : (
          <Link to="/assets" search={{ silent: 'yes' }} className="text-accent underline underline-offset-2">
            {silent}
            {data.silent.pageInfo.hasNextPage && '+'} silent
          </Link>
        )}
      </State>
      {shippers.slice(0, mostShippers).map((shipper) => (
        <li key={shipper.id} className="flex items-center gap-3">
          <span className="min-w-0 truncate" title={`Shipper with the token ${shipper.name}`}>
            {legible(shipper.name)}
          </span>
          <span className="ml-auto shrink-0">
            <ShipperBadge lastUsedAt={shipper.lastUsedAt} />
          </span>
        </li>
      ))}
      {shippers.length > mostShippers && (
        <li className="text-xs text-muted">{shippers.length - mostShippers} more shippers stand under Health.</li>
      )}
      {shippers.length === 0 && (
        <li className="text-xs text-muted">
          No shipper has a token.{' '}
          <Link
            to="/integrations"
            search={{ section: 'shippers' }}
            className="text-accent underline underline-offset-2"
          >
            Connect one
          </Link>
        </li>
      )}
    </ul>
  );
}

function State({ well, name, children }: { well: boolean; name: string; children: ReactNode }) {
  const Icon = well ? CircleCheck : TriangleAlert;
  return (
    <li className="flex items-center gap-3">
      <span>{name}</span>
      <span className="ml-auto inline-flex items-center gap-1.5 text-xs">
        <Icon size={13} aria-label={well ? 'Well' : 'Look at this'} className={well ? 'text-good' : 'text-warn'} />
        {children}
      </span>
    </li>
  );
}
