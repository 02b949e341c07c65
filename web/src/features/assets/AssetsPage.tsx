// Hosts and users, the riskiest first.
import { getRouteApi } from '@tanstack/react-router';
import clsx from 'clsx';
import { Monitor, Server, UserRound } from 'lucide-react';
import { useRef } from 'react';
import { useConnection } from '../../api/useConnection';
import { usePulse } from '../../live/pulse';
import { useTyping } from '../../nouns/query/useTyping';
import { Time } from '../../nouns/time/Time';
import { legible } from '../../ui/legible';
import { RecordGrid } from '../../ui/RecordGrid';
import { SearchBox } from '../../ui/SearchBox';
import { Select } from '../../ui/Select';
import { EmptyState, NoMatch, StaleBanner } from '../../ui/States';
import { useActiveRow } from '../../ui/useActiveRow';
import type { Column } from '../../ui/VirtualGrid';
import { AssetPanel } from './AssetPanel';
import { AssetListDocument, type AssetListQuery } from './Assets.generated';
import { type AssetSearch, apiFilter, apiOrder, criticalities } from './filters';

type Asset = AssetListQuery['assets']['nodes'][number];

const route = getRouteApi('/shell/assets');
const refreshPeriod = 5_000;
const wide = '@max-[56rem]:hidden';
const phone = '@max-[30rem]:hidden';
const columns: readonly Column[] = [
  { id: 'risk', title: 'Risk' },
  { id: 'name', title: 'Name' },
  { id: 'criticality', title: 'Criticality', className: phone },
  { id: 'owner', title: 'Owner', className: wide },
  { id: 'tags', title: 'Tags', className: wide },
  { id: 'seen', title: 'Last seen' },
];
const template = clsx(
  'grid-cols-[8rem_minmax(12rem,2fr)_6rem_minmax(6rem,1fr)_minmax(6rem,1fr)_9rem]',
  '@max-[56rem]:grid-cols-[6rem_minmax(8rem,2fr)_6rem_7rem]',
  '@max-[30rem]:grid-cols-[5rem_minmax(6rem,1fr)_5rem]',
);
/** The bars reach at least so far, so that little risk is not drawn as much. */
const plainRisk = 100;

export function AssetsPage() {
  const search: AssetSearch = route.useSearch();
  const navigate = route.useNavigate();
  const searchRef = useRef<HTMLInputElement>(null);
  const variables = { filter: apiFilter(search), orderBy: apiOrder(search) };
  const list = useConnection({ query: AssetListDocument, variables, of: ({ assets }) => assets });
  usePulse(list.refresh, refreshPeriod);
  // The riskiest that is shown fills its bar; the number stands beside it.
  const most = Math.max(plainRisk, ...(list.items ?? []).map((asset) => asset.risk.score));
  // Each change is a step that going back undoes; what is typed in one go, and moving through an open list, is one.
  const change = (next: Partial<AssetSearch>, replace = false) =>
    void navigate({ search: { ...search, ...next }, replace });
  const typing = useTyping();
  const setQuery = (q: string | undefined) => change({ q }, typing(search, { ...search, q }));
  const { active, activate } = useActiveRow(search.asset, (id, replace) => change({ asset: id }, replace), searchRef);
  const narrowed = Boolean(search.q || search.kind || search.criticality || search.silent);
  return (
    <>
      <h1 className="sr-only">Assets</h1>
      <div className="flex flex-wrap items-center gap-2 border-b border-line bg-canvas px-3 py-2">
        <Select
          label="Kind"
          value={search.kind ?? ''}
          onChange={(value) => change({ kind: value || undefined })}
          options={[
            ['', 'Hosts and users'],
            ['host', 'Hosts'],
            ['user', 'Users'],
          ]}
        />
        <Select
          label="Criticality"
          value={search.criticality ?? ''}
          onChange={(value) => change({ criticality: value || undefined })}
          options={[['', 'Any criticality'], ...criticalities.map((c) => [c.toLowerCase(), sentenceCase(c)] as const)]}
        />
        <Select
          label="Silence"
          value={search.silent ?? ''}
          onChange={(value) => change({ silent: value === 'yes' ? 'yes' : undefined })}
          options={[
            ['', 'Silent or not'],
            ['yes', 'Silent'],
          ]}
        />
        <Select
          label="Order"
          value={search.order ?? ''}
          onChange={(value) => change({ order: value || undefined })}
          options={[
            ['', 'By risk'],
            ['seen', 'Latest seen first'],
            ['name', 'By name'],
          ]}
        />
        <SearchBox
          label="Search names"
          value={search.q ?? ''}
          onChange={(q) => setQuery(q || undefined)}
          inputRef={searchRef}
        />
      </div>
      {list.error != null && list.items && <StaleBanner error={list.error} what="The list" onRetry={list.retry} />}
      <div className="relative flex min-h-0 grow">
        <div className="flex min-w-0 grow flex-col">
          <RecordGrid
            label="Assets"
            list={list}
            empty={
              narrowed ? (
                <NoMatch title="No asset matches" all="Show all assets" onAll={() => void navigate({ search: {} })} />
              ) : (
                <EmptyState icon={Server} title="No hosts or users are known yet">
                  They are learned from the events that come in.
                </EmptyState>
              )
            }
            columns={columns}
            template={template}
            row={(asset) => <AssetRow asset={asset} most={most} />}
            activeId={active}
            onActivate={activate}
            onOpen={(id) => change({ asset: id })}
          />
        </div>
        {search.asset && (
          <AssetPanel
            key={search.asset}
            id={search.asset}
            onChanged={list.refresh}
            onDismiss={() => change({ asset: undefined })}
          />
        )}
      </div>
    </>
  );
}

function AssetRow({ asset, most }: { asset: Asset; most: number }) {
  const part = asset.risk.score / most;
  const Icon = asset.kind === 'HOST' ? Monitor : UserRound;
  return (
    <>
      <div role="gridcell" className="flex items-center gap-2">
        <span className="w-8 text-right tabular-nums">{Math.round(asset.risk.score)}</span>
        <span aria-hidden className="h-1.5 grow rounded-full bg-raised">
          <span
            className={clsx(
              'block h-full rounded-full',
              part >= 0.5 ? 'bg-critical' : part >= 0.2 ? 'bg-high' : 'bg-low',
            )}
            style={{ width: `${part * 100}%` }}
          />
        </span>
      </div>
      <div role="gridcell" className="flex min-w-0 items-center gap-2 font-medium" title={legible(asset.name)}>
        <Icon size={14} aria-label={asset.kind === 'HOST' ? 'Host' : 'User'} className="shrink-0 text-faint" />
        <span className="truncate">{legible(asset.name)}</span>
      </div>
      <div role="gridcell" className={clsx('text-xs', phone)}>
        {sentenceCase(asset.criticality)}
      </div>
      <div role="gridcell" className={clsx('truncate text-muted', wide)}>
        {asset.owner}
      </div>
      <div role="gridcell" className={clsx('truncate text-xs text-muted', wide)}>
        {asset.tags.join(', ')}
      </div>
      <div role="gridcell" className="truncate text-muted">
        <Time at={asset.lastSeen} />
        {asset.silent && (
          <span className="ml-2 rounded bg-warn-soft px-1 text-2xs font-semibold text-warn">Silent</span>
        )}
      </div>
    </>
  );
}

export function sentenceCase(text: string): string {
  return text.charAt(0) + text.slice(1).toLowerCase().replaceAll('_', ' ');
}
