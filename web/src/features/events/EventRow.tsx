import clsx from 'clsx';
import { ChevronRight } from 'lucide-react';
import { memo } from 'react';
import { EventDetail } from '../../nouns/event/EventDetail';
import { classLabel, outcomeLabel } from '../../nouns/event/event';
import { severityLook } from '../../nouns/severity/severity';
import { Time } from '../../nouns/time/Time';
import type { Column } from '../../ui/VirtualGrid';
import type { EventRowFragment } from './EventRow.generated';

const mid = '@max-[56rem]:hidden';

export const columns: readonly Column[] = [
  { id: 'expand', title: 'Expand', quiet: true },
  { id: 'time', title: 'Time' },
  { id: 'severity', title: 'Severity' },
  { id: 'class', title: 'Class' },
  { id: 'host', title: 'Host' },
  { id: 'user', title: 'User', className: mid },
  { id: 'action', title: 'Action', className: mid },
  { id: 'message', title: 'Message' },
];

export const template = clsx(
  'grid-cols-[1rem_6.75rem_5rem_5rem_minmax(6rem,0.8fr)_minmax(5rem,0.7fr)_minmax(6rem,0.9fr)_minmax(12rem,4fr)]',
  '@max-[56rem]:grid-cols-[1rem_6.75rem_5rem_5rem_minmax(5rem,1fr)_minmax(8rem,3fr)]',
);

interface EventRowProps {
  event: EventRowFragment;
  open: boolean;
}

export const EventRow = memo(function EventRow({ event, open }: EventRowProps) {
  const { label, icon: Icon, text } = severityLook[event.severity];
  return (
    <>
      <div className={clsx('grid h-8 cursor-pointer items-center gap-3 px-3', template)} role="presentation">
        <div role="gridcell">
          <ChevronRight
            size={14}
            aria-label={open ? 'Expanded' : 'Collapsed'}
            className={clsx('text-faint', open && 'rotate-90')}
          />
        </div>
        <div role="gridcell" className="truncate font-mono text-xs text-muted">
          <Time at={event.occurredAt} as="clock" />
        </div>
        <div role="gridcell" className={clsx('flex items-center gap-1.5 text-xs', text)}>
          <Icon size={13} aria-hidden />
          {label}
        </div>
        <div role="gridcell" className="truncate text-xs">
          {classLabel[event.class]}
        </div>
        <div role="gridcell" className="truncate" title={event.host}>
          {event.host}
        </div>
        <div role="gridcell" className={clsx('truncate', mid)} title={event.user}>
          {event.user}
        </div>
        <div role="gridcell" className={clsx('truncate text-muted', mid)} title={event.action}>
          {event.action}
          {event.outcome === 'FAILURE' && <span className="text-critical"> · {outcomeLabel.FAILURE}</span>}
        </div>
        <div role="gridcell" className="truncate text-muted" title={event.message}>
          {event.message}
        </div>
      </div>
      {open && (
        <div
          role="gridcell"
          aria-colspan={columns.length}
          data-detail
          className="cursor-default border-t border-line bg-canvas px-4 py-3 md:pl-10"
        >
          <div className="max-w-4xl">
            <EventDetail id={event.id} />
          </div>
        </div>
      )}
    </>
  );
});
