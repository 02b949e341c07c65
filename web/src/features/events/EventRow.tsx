import clsx from 'clsx';
import { ChevronRight } from 'lucide-react';
import { memo, type ReactNode } from 'react';
import { formatFlow } from '../../nouns/endpoint/endpoint';
import { EventDetail } from '../../nouns/event/EventDetail';
import { classLabel, outcomeLabel } from '../../nouns/event/event';
import { severityLook } from '../../nouns/severity/severity';
import { Time } from '../../nouns/time/Time';
import { legible } from '../../ui/legible';
import { type EventLayout, mid, tiny } from './columns';
import type { TailEvent } from './tail';

interface EventRowProps {
  event: TailEvent;
  layout: EventLayout;
  open: boolean;
}

export const EventRow = memo(function EventRow({ event, layout, open }: EventRowProps) {
  return (
    <>
      <div
        role="presentation"
        className={clsx('grid h-8 cursor-pointer items-center gap-3 px-3', layout.template)}
        style={{ gridTemplateColumns: layout.widths?.template }}
      >
        <div role="gridcell">
          <ChevronRight
            size={14}
            aria-label={open ? 'Expanded' : 'Collapsed'}
            className={clsx('text-faint', open && 'rotate-90')}
          />
        </div>
        <Cells event={event} layout={layout} />
      </div>
      {open && (
        <div
          role="gridcell"
          aria-colspan={layout.columns.length}
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

function Cells({ event, layout }: { event: TailEvent; layout: EventLayout }) {
  const { label, icon: Icon, text } = severityLook[event.severity];
  // Where columns were chosen they all stand, however narrow the list.
  const [narrow, phone] = layout.chosen ? ['', ''] : [mid, tiny];
  const cell = (id: string, content: ReactNode, className?: string, title?: string) =>
    layout.shown.has(id) && (
      <div key={id} role="gridcell" className={clsx('truncate', className)} title={title}>
        {content}
      </div>
    );
  const plain = (id: string, value = '', className?: string) => cell(id, legible(value), className, legible(value));
  const { source, destination, logSource, process = '' } = event;
  return (
    <>
      {cell('time', <Time at={event.occurredAt} as="clock" />, 'font-mono text-xs text-muted')}
      {cell('received', <Time at={event.receivedAt} as="clock" />, 'font-mono text-xs text-muted')}
      {layout.shown.has('severity') && (
        <div role="gridcell" className={clsx('flex items-center gap-1.5 text-xs', text)}>
          <Icon size={13} aria-hidden className="shrink-0" />
          <span className={layout.chosen ? undefined : '@max-[36rem]:sr-only'}>{label}</span>
        </div>
      )}
      {cell('class', classLabel[event.class], clsx('text-xs', phone))}
      {plain('host', event.host, phone)}
      {plain('user', event.user, narrow)}
      {cell(
        'action',
        <>
          {legible(event.action)}
          {event.outcome === 'FAILURE' && <span className="text-critical"> · {outcomeLabel.FAILURE}</span>}
        </>,
        clsx('text-muted', narrow),
        legible(event.action),
      )}
      {cell('process', legible(process.split(/[\\/]/).at(-1) ?? ''), 'text-muted', legible(process))}
      {plain('command', event.command, 'font-mono text-xs text-muted')}
      {cell('flow', source && destination && formatFlow(source, destination), 'text-muted')}
      {plain('domain', event.domain, 'text-muted')}
      {plain('url', event.url, 'text-muted')}
      {plain('file', event.filePath, 'text-muted')}
      {cell(
        'source',
        logSource && legible([logSource.product, logSource.category, logSource.service].filter(Boolean).join(' / ')),
        'text-muted',
      )}
      {plain('format', event.format, 'text-xs text-muted')}
      {plain('message', event.message, 'text-muted')}
    </>
  );
}
