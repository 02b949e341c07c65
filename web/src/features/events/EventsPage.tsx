// What came in, followed live.
import { getRouteApi } from '@tanstack/react-router';
import { ArrowUp, PanelLeft, Radio, SearchX } from 'lucide-react';
import { useMemo, useRef, useState } from 'react';
import type { EventField } from '../../gql/schema';
import { setPaused, usePaused } from '../../live/pause';
import { classLabel, eventClasses } from '../../nouns/event/event';
import { useQueryLine } from '../../nouns/query/useQueryLine';
import { ViewsMenu } from '../../nouns/saved/ViewsMenu';
import { severities, severityLook } from '../../nouns/severity/severity';
import { RangeSelect } from '../../nouns/time/RangeSelect';
import { Button } from '../../ui/Button';
import { useKeys } from '../../ui/keys';
import { QueryBox } from '../../ui/QueryBox';
import { Select } from '../../ui/Select';
import { EmptyState, ErrorState, SkeletonRows } from '../../ui/States';
import { VirtualGrid } from '../../ui/VirtualGrid';
import { columns, EventRow, template } from './EventRow';
import { EventHistogram, FieldPanel } from './EventShape';
import { apiFilter, type EventSearch, withCondition } from './filters';
import { useEventTail } from './useEventTail';

const route = getRouteApi('/shell/events');

export function EventsPage() {
  const search: EventSearch = route.useSearch();
  const navigate = route.useNavigate();
  const paused = usePaused();
  const [active, setActive] = useState<string | null>(search.event ?? null);
  const [atTop, setAtTop] = useState(true);
  const searchRef = useRef<HTMLInputElement>(null);
  const scrollRef = useRef<HTMLDivElement>(null);
  const open = search.event ?? null;
  // Rows stand still while somebody reads further down or has one open.
  const hold = paused || !atTop || open !== null;
  const filter = useMemo(() => apiFilter({ ...search, event: undefined, group: undefined }), [search]);
  const line = useQueryLine('EVENTS', search.q ?? '');
  const tail = useEventTail(filter, hold);
  const ids = useMemo(() => tail.events.map((e) => e.id), [tail.events]);
  const byId = useMemo(() => new Map(tail.events.map((e) => [e.id, e])), [tail.events]);

  const change = (next: Partial<EventSearch>) => void navigate({ search: { ...search, ...next }, replace: true });
  const toggle = (id: string) => change({ event: open === id ? undefined : id });
  useKeys({
    '/': () => searchRef.current?.focus(),
    Escape: open ? () => change({ event: undefined }) : active ? () => setActive(null) : undefined,
  });
  const narrowed = Boolean(
    search.q || search.class || search.severity || search.since || search.from || search.host || search.user,
  );

  return (
    <>
      <h1 className="sr-only">Events</h1>
      <div className="flex flex-wrap items-center gap-2 border-b border-line bg-canvas px-3 py-2">
        <Select
          label="Class"
          value={search.class ?? ''}
          onChange={(value) => change({ class: value || undefined })}
          options={[['', 'Any class'], ...eventClasses.map((c) => [c.toLowerCase(), classLabel[c]] as const)]}
        />
        <Select
          label="Severity"
          value={search.severity ?? ''}
          onChange={(value) => change({ severity: value || undefined })}
          options={[
            ['', 'Any severity'],
            ...severities.map(
              (s) => [s.toLowerCase(), s === 'CRITICAL' ? 'Critical' : `${severityLook[s].label} and worse`] as const,
            ),
          ]}
        />
        {(['host', 'user'] as const).map(
          (field) =>
            search[field] && (
              <button
                key={field}
                type="button"
                aria-label={`Remove the condition on ${field}`}
                onClick={() => change({ [field]: undefined })}
                className="h-7 rounded-md border border-accent bg-accent-soft px-2 text-xs"
              >
                {field}: {search[field]} ×
              </button>
            ),
        )}
        <RangeSelect
          range={search}
          anyTime="Any time"
          onChange={(range) => change({ since: undefined, from: undefined, to: undefined, ...range })}
        />
        <QueryBox
          label="Search words, or host:ws-01 process:powershell raw.EventID:1"
          line={line}
          value={search.q ?? ''}
          onChange={(q) => change({ q: q || undefined })}
          inputRef={searchRef}
        />
        <ViewsMenu
          noun="EVENTS"
          query={search.q ?? ''}
          onOpen={(view) => void navigate({ search: { q: view.query } })}
        />
        <Button
          aria-pressed={search.group !== 'off'}
          icon={PanelLeft}
          onClick={() => change({ group: search.group === 'off' ? undefined : 'off' })}
          className="max-lg:hidden"
        >
          Values
        </Button>
      </div>
      <EventHistogram
        filter={filter}
        range={search}
        live={!paused && !search.from}
        onRange={(range) => change({ since: undefined, from: undefined, to: undefined, ...range })}
      />
      <div className="flex min-h-0 grow">
        {search.group !== 'off' && (
          <FieldPanel
            filter={filter}
            field={(search.group?.toUpperCase() ?? 'HOST') as EventField}
            onField={(field) => change({ group: field === 'HOST' ? undefined : field.toLowerCase() })}
            onValue={(field, value, not) => change({ q: withCondition(search.q, field, value, not) })}
          />
        )}
        <div className="relative flex min-h-0 min-w-0 grow flex-col">
          <div role="status" className="pointer-events-none absolute inset-x-0 top-0.5 z-20 flex justify-center">
            {tail.waiting > 0 && (
              <button
                type="button"
                onClick={() => {
                  setPaused(false);
                  change({ event: undefined });
                  scrollRef.current?.scrollTo({ top: 0 });
                  setAtTop(true);
                }}
                className="pointer-events-auto inline-flex items-center gap-1.5 rounded-full bg-accent px-3 py-0.5 text-xs font-semibold text-accent-ink shadow-pop"
              >
                <ArrowUp size={13} aria-hidden />
                {tail.waiting.toLocaleString('en')} new
              </button>
            )}
          </div>
          {tail.error && ids.length === 0 ? (
            <ErrorState title="The events cannot be loaded" error={tail.error} onRetry={tail.reload} />
          ) : tail.loading && ids.length === 0 ? (
            <SkeletonRows />
          ) : ids.length === 0 ? (
            <NoEvents narrowed={narrowed} onReset={() => void navigate({ search: {} })} />
          ) : (
            <VirtualGrid
              label="Events"
              columns={columns}
              template={template}
              ids={ids}
              total={tail.hasMore ? -1 : ids.length}
              measured
              activeId={active}
              onActivate={setActive}
              onOpen={toggle}
              onEnd={tail.loadMore}
              onTop={setAtTop}
              scrollRef={scrollRef}
              renderRow={(id) => {
                const event = byId.get(id);
                return event && <EventRow event={event} open={id === open} />;
              }}
            />
          )}
        </div>
      </div>
    </>
  );
}

function NoEvents({ narrowed, onReset }: { narrowed: boolean; onReset(): void }) {
  if (narrowed) {
    return (
      <EmptyState icon={SearchX} title="No event matches">
        <p>
          <button type="button" className="text-accent underline underline-offset-2" onClick={onReset}>
            Show all events
          </button>
        </p>
      </EmptyState>
    );
  }
  return (
    <EmptyState icon={Radio} title="There are no events">
      <p>They appear here as they come in: NDJSON or a JSON array, in any of the known formats.</p>
    </EmptyState>
  );
}
