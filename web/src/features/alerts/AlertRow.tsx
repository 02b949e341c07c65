// One alert in the queue. It reads its own fragment, so that a change draws this
// row again and no other.

import { useFragment } from '@apollo/client/react';
import { Link } from '@tanstack/react-router';
import clsx from 'clsx';
import { memo } from 'react';
import { StatusBadge } from '../../nouns/alert/StatusBadge';
import { formatFlow } from '../../nouns/endpoint/endpoint';
import { Techniques } from '../../nouns/rule/Techniques';
import { SeverityBadge } from '../../nouns/severity/SeverityBadge';
import { Time } from '../../nouns/time/Time';
import { legible } from '../../ui/legible';
import { AlertRiskFragmentDoc, AlertRowFragmentDoc } from './AlertRow.generated';
import { type ColumnLayout, mid as midWidth, tinyOnly, tiny as tinyWidth, wide as wideWidth } from './columns';

interface AlertRowProps {
  id: string;
  gone: boolean;
  layout: ColumnLayout;
  selected: boolean;
  onSelect(id: string, through: boolean): void;
}

export const AlertRow = memo(function AlertRow({ id, gone, layout, selected, onSelect }: AlertRowProps) {
  const { data, complete } = useFragment({
    fragment: AlertRowFragmentDoc,
    fragmentName: 'AlertRow',
    from: { __typename: 'Alert', id },
  });
  if (!complete) {
    return (
      <div role="gridcell" className="col-span-full" aria-busy>
        <div className="h-3 w-2/5 rounded bg-line" />
        <span className="sr-only">Loading</span>
      </div>
    );
  }
  // Where columns were chosen they all stand, however narrow the list.
  const [tiny, mid, wide] = layout.chosen ? ['', '', ''] : [tinyWidth, midWidth, wideWidth];
  const has = (column: string) => layout.shown.has(column);
  return (
    <>
      {has('select') && (
        <div role="gridcell" className="flex items-center">
          <input
            type="checkbox"
            tabIndex={-1}
            aria-label={`Select ${legible(data.title)}`}
            checked={selected}
            onChange={() => undefined}
            onClick={(event) => {
              event.stopPropagation();
              onSelect(id, event.shiftKey);
            }}
            className="accent-accent"
          />
        </div>
      )}
      {has('severity') && (
        <div role="gridcell" className="flex items-center">
          <SeverityBadge severity={data.severity} compact={!layout.chosen} />
        </div>
      )}
      {has('status') && (
        <div role="gridcell" className={clsx('flex min-w-0 items-center', tiny)}>
          <StatusBadge status={data.status} />
        </div>
      )}
      {has('title') && (
        <div
          role="gridcell"
          className={clsx('truncate font-medium', gone && 'text-muted line-through')}
          title={legible(data.title)}
        >
          {legible(data.title)}
          {gone && <span className="sr-only"> (no longer matches the filter)</span>}
          {!layout.chosen && (data.host || data.user) && (
            <span className={clsx('block truncate text-2xs font-normal text-muted', tinyOnly)}>
              {legible([data.host, data.user].filter(Boolean).join(' · '))}
            </span>
          )}
        </div>
      )}
      {has('lastSeen') && (
        <div role="gridcell" className="truncate text-muted">
          <Time at={data.lastSeen} />
        </div>
      )}
      {has('count') && (
        <div role="gridcell" className={clsx('text-right', mid)}>
          {data.count.toLocaleString('en')}
        </div>
      )}
      {has('host') && (
        <div role="gridcell" className={clsx('truncate', tiny)} title={legible(data.host)}>
          {legible(data.host)}
        </div>
      )}
      {has('user') && (
        <div role="gridcell" className={clsx('truncate', mid)} title={legible(data.user)}>
          {legible(data.user)}
        </div>
      )}
      {has('flow') && (
        <div role="gridcell" className={clsx('truncate text-muted', wide)}>
          {formatFlow(data.source, data.destination)}
        </div>
      )}
      {has('process') && (
        <div role="gridcell" className="truncate text-muted" title={legible(data.process)}>
          {legible(data.process.split(/[\\/]/).at(-1) ?? '')}
        </div>
      )}
      {has('techniques') && (
        <div
          role="gridcell"
          className={clsx('flex h-5 items-center overflow-hidden', wide)}
          title={data.techniques.join(', ')}
        >
          <Techniques ids={data.techniques} short />
        </div>
      )}
      {has('risk') && (
        <div role="gridcell" className="text-right text-muted">
          <AlertRisk id={id} />
        </div>
      )}
      {has('assignee') && (
        <div role="gridcell" className={clsx('truncate text-muted', mid)}>
          {data.assignee ? legible(data.assignee.displayName) : <span className="text-faint">Nobody</span>}
        </div>
      )}
      {has('incident') && (
        <div role="gridcell" className="truncate">
          {data.incident && (
            <Link to="/incidents/$id" params={{ id: data.incident.id }} className="hover:underline">
              {legible(data.incident.title)}
            </Link>
          )}
        </div>
      )}
      {has('tags') && (
        <div role="gridcell" className="truncate text-xs text-muted" title={legible(data.tags.join(', '))}>
          {legible(data.tags.join(', '))}
        </div>
      )}
      {has('age') && (
        <div role="gridcell" className={clsx('text-right text-muted', wide)}>
          <Time at={data.createdAt} as="age" />
        </div>
      )}
    </>
  );
});

/** The greater risk of its host and its user. */
function AlertRisk({ id }: { id: string }) {
  const { data, complete } = useFragment({
    fragment: AlertRiskFragmentDoc,
    fragmentName: 'AlertRisk',
    from: { __typename: 'Alert', id },
  });
  if (!complete || (!data.hostAsset && !data.userAsset)) return null;
  return <>{Math.round(Math.max(data.hostAsset?.risk.score ?? 0, data.userAsset?.risk.score ?? 0))}</>;
}
