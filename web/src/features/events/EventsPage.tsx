// What came in, followed live.
import { getRouteApi } from '@tanstack/react-router';
import { PanelLeft, Radio, X } from 'lucide-react';
import { useCallback, useMemo, useRef, useState } from 'react';
import { setPaused, usePaused } from '../../live/pause';
import { EventDetail } from '../../nouns/event/EventDetail';
import { classLabel, eventClasses } from '../../nouns/event/event';
import { PivotContext } from '../../nouns/event/pivot';
import { EventExportDocument } from '../../nouns/export/Export.generated';
import { ExportMenu } from '../../nouns/export/ExportMenu';
import { withCondition, withConditions } from '../../nouns/query/condition';
import { useQueryLine } from '../../nouns/query/useQueryLine';
import { useTyping } from '../../nouns/query/useTyping';
import { ViewsMenu } from '../../nouns/saved/ViewsMenu';
import { severities, severityLook } from '../../nouns/severity/severity';
import { RangeSelect } from '../../nouns/time/RangeSelect';
import { Button, IconButton } from '../../ui/Button';
import { ColumnsMenu } from '../../ui/ColumnsMenu';
import { useKeys } from '../../ui/keys';
import { legible } from '../../ui/legible';
import { LonePill, NewReadOut, withPill } from '../../ui/NewPill';
import { QueryBox } from '../../ui/QueryBox';
import { Select } from '../../ui/Select';
import { EmptyState, ErrorState, NoMatch, SkeletonRows, StaleBanner } from '../../ui/States';
import { useChange } from '../../ui/useChange';
import { VirtualGrid } from '../../ui/VirtualGrid';
import { choosable, layoutOf } from './columns';
import { EventRow } from './EventRow';
import { EventHistogram } from './EventShape';
import { apiFilter, type EventSearch, formatGroup, groupOf, lineName } from './filters';
import { GroupPanel } from './GroupPanel';
import { useEventTail } from './useEventTail';

const route = getRouteApi('/shell/events');

/** Where the pill finds room. */
const wide = ['message', 'command', 'url', 'file', 'flow', 'process', 'host'];

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
  const filter = useMemo(() => apiFilter(search), [search]);
  const line = useQueryLine('EVENTS', search.q ?? '');
  const layout = useMemo(() => layoutOf(search.cols), [search.cols]);
  const tail = useEventTail(filter, layout.more, hold);
  const ids = useMemo(() => tail.events.map((e) => e.id), [tail.events]);
  const byId = useMemo(() => new Map(tail.events.map((e) => [e.id, e])), [tail.events]);

  // Each change is a step that going back undoes.
  const change = (next: Partial<EventSearch>, replace = false) =>
    void navigate({ search: { ...search, ...next }, replace });
  const send = useChange();
  const typing = useTyping();
  const setQuery = (q: string | undefined) => {
    const after = { ...search, q };
    change({ q }, typing(search, after));
  };
  const latest = useRef({ search, change });
  latest.current = { search, change };
  // One function for good: it stands in a context that each open event reads.
  const pivot = useCallback((name: string, value: string, not: boolean) => {
    const { search, change } = latest.current;
    change({ q: withCondition(search.q, name, value, not) });
  }, []);
  const toggle = (id: string) => change({ event: open === id ? undefined : id }, open !== null && open !== id);
  useKeys({
    '/': () => searchRef.current?.focus(),
    Escape: open ? () => change({ event: undefined }) : active ? () => setActive(null) : undefined,
  });
  const narrowed = Boolean(
    search.q || search.class || search.severity || search.since || search.from || search.host || search.user,
  );

  const news = { count: tail.waiting, more: tail.overflowed };
  const showNew = () => {
    setPaused(false);
    if (open) change({ event: undefined });
    scrollRef.current?.scrollTo({ top: 0 });
    setAtTop(true);
  };

  return (
    <PivotContext.Provider value={pivot}>
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
                {field}: {legible(search[field] ?? '')} ×
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
          onChange={(q) => setQuery(q || undefined)}
          inputRef={searchRef}
        />
        <ViewsMenu
          noun="EVENTS"
          query={search.q ?? ''}
          cols={search.cols}
          onOpen={({ q, cols }) => void navigate({ search: { q, cols } })}
        />
        <ColumnsMenu columns={choosable} cols={search.cols} onChange={(cols) => change({ cols })} />
        <ExportMenu onExport={(format) => send(EventExportDocument, { input: { filter, format } })} />
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
      {tail.error != null && ids.length > 0 && <StaleBanner error={tail.error} what="The list" onRetry={tail.reload} />}
      <div className="flex min-h-0 grow">
        {search.group !== 'off' && (
          <GroupPanel
            filter={filter}
            fields={groupOf(search.group)}
            onFields={(fields) => change({ group: formatGroup(fields) })}
            onValues={(conditions, not) => {
              const named = conditions.map(({ field, value }) => ({ name: lineName(field), value }));
              change({ q: withConditions(search.q, named, not) });
            }}
          />
        )}
        <div className="relative flex min-h-0 min-w-0 grow flex-col">
          <NewReadOut {...news} />
          {open && !tail.loading && !byId.has(open) && (
            <Elsewhere id={open} onDismiss={() => change({ event: undefined })} />
          )}
          {tail.error && ids.length === 0 ? (
            <ErrorState title="The events cannot be loaded" error={tail.error} onRetry={tail.reload} />
          ) : tail.loading && ids.length === 0 ? (
            <SkeletonRows />
          ) : ids.length === 0 ? (
            <>
              <LonePill {...news} onShow={showNew} />
              <NoEvents narrowed={narrowed} onReset={() => void navigate({ search: {} })} />
            </>
          ) : (
            <VirtualGrid
              label="Events"
              columns={withPill(layout.columns, wide, { ...news, onShow: showNew })}
              template={layout.template}
              widths={layout.widths}
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
                return event && <EventRow event={event} layout={layout} open={id === open} />;
              }}
            />
          )}
        </div>
      </div>
    </PivotContext.Provider>
  );
}

/** The event that a link is about, where the list does not reach it. */
function Elsewhere({ id, onDismiss }: { id: string; onDismiss(): void }) {
  return (
    <section
      aria-label="The event of the link"
      className="max-h-[60%] shrink-0 overflow-y-auto border-b border-line-strong bg-canvas px-4 py-3"
    >
      <div className="mb-2 flex max-w-4xl items-center gap-2">
        <h2 className="grow text-xs font-semibold text-muted">One event, which is not among those listed below</h2>
        <IconButton icon={X} label="Close the event (Escape)" onClick={onDismiss} />
      </div>
      <div className="max-w-4xl">
        <EventDetail id={id} />
      </div>
    </section>
  );
}

function NoEvents({ narrowed, onReset }: { narrowed: boolean; onReset(): void }) {
  if (narrowed) {
    return <NoMatch title="No event matches" all="Show all events" onAll={onReset} />;
  }
  return (
    <EmptyState icon={Radio} title="There are no events">
      <p>They appear here as they come in: NDJSON or a JSON array, in any of the known formats.</p>
    </EmptyState>
  );
}
