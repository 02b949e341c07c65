// Records that were sent and refused: found, read, replayed.
import { useQuery } from '@apollo/client/react';
import { getRouteApi, Link } from '@tanstack/react-router';
import clsx from 'clsx';
import { MailX, RotateCcw, Trash2, X } from 'lucide-react';
import { useMemo, useRef, useState } from 'react';
import { useConnection } from '../../api/useConnection';
import { ReplayDialog } from '../../nouns/deadletter/ReplayDialog';
import type { Which } from '../../nouns/deadletter/useReplay';
import { useTyping } from '../../nouns/query/useTyping';
import { SourceSections } from '../../nouns/source/SourceSections';
import { Time } from '../../nouns/time/Time';
import { useViewer } from '../../nouns/user/useViewer';
import { Button, IconButton } from '../../ui/Button';
import { Confirm } from '../../ui/Confirm';
import { legible } from '../../ui/legible';
import { notify } from '../../ui/notices';
import { RecordGrid } from '../../ui/RecordGrid';
import { SearchBox } from '../../ui/SearchBox';
import { Select } from '../../ui/Select';
import { EmptyState, NoMatch, StaleBanner } from '../../ui/States';
import { useActiveRow } from '../../ui/useActiveRow';
import { useChange } from '../../ui/useChange';
import { useEvery } from '../../ui/useEvery';
import { useSelection } from '../../ui/useSelection';
import type { Column } from '../../ui/VirtualGrid';
import {
  DeadLetterDeleteDocument,
  type DeadLetterFactsFragment,
  DeadLetterListDocument,
  DeadLetterSourcesDocument,
} from './DeadLetters.generated';
import { apiFilter, codeLabel, codes, type LetterSearch, states } from './filters';
import { LetterBadge } from './LetterBadge';
import { LetterPanel } from './LetterPanel';

const route = getRouteApi('/shell/sources/dead-letters');
const refreshPeriod = 5_000;
/** As many as one request deletes. */
const mostDeleted = 500;
const wide = '@max-[60rem]:hidden';
const phone = '@max-[34rem]:hidden';
const columns: readonly Column[] = [
  { id: 'select', title: 'Select', quiet: true },
  { id: 'at', title: 'Came' },
  { id: 'state', title: 'State', className: phone },
  { id: 'code', title: 'Why' },
  { id: 'message', title: 'Reason', className: wide },
  { id: 'token', title: 'Token' },
  { id: 'size', title: 'Bytes', className: wide },
];
const template = clsx(
  'grid-cols-[1.5rem_8rem_8rem_10rem_minmax(12rem,3fr)_minmax(7rem,1fr)_5rem]',
  '@max-[60rem]:grid-cols-[1.5rem_7rem_8rem_minmax(8rem,2fr)_minmax(6rem,1fr)]',
  '@max-[34rem]:grid-cols-[1.5rem_6rem_minmax(7rem,2fr)_minmax(4rem,1fr)]',
);

export function DeadLettersPage() {
  const search: LetterSearch = route.useSearch();
  const navigate = route.useNavigate();
  const { viewer, mayWork, mayAdminister } = useViewer();
  const searchRef = useRef<HTMLInputElement>(null);
  const filter = apiFilter(search);
  const list = useConnection({
    query: DeadLetterListDocument,
    variables: { filter },
    of: ({ deadLetters }) => deadLetters,
    skip: !mayWork,
  });
  useEvery(refreshPeriod, list.refresh);
  const sources = useQuery(DeadLetterSourcesDocument, { fetchPolicy: 'cache-and-network', skip: !mayWork });
  const ids = useMemo(() => list.items?.map(({ id }) => id) ?? [], [list.items]);
  const selection = useSelection(ids, filter);
  const [replaying, setReplaying] = useState<{ which: Which; what: string } | null>(null);
  const change = (next: Partial<LetterSearch>, replace = false) =>
    void navigate({ search: { ...search, ...next }, replace });
  const typing = useTyping();
  const setText = (q: string | undefined) => change({ q }, typing(search, { ...search, q }));
  const { active, activate } = useActiveRow(search.letter, (id, replace) => change({ letter: id }, replace), searchRef);
  if (viewer && !mayWork) {
    return (
      <>
        <h1 className="sr-only">Dead letters</h1>
        <SourceSections />
        <EmptyState icon={MailX} title="Dead letters are for analysts and administrators">
          They are records as they were sent, which may hold anything.
        </EmptyState>
      </>
    );
  }
  const narrowed = Object.keys(filter).length > 0;
  return (
    <>
      <h1 className="sr-only">Dead letters</h1>
      <SourceSections />
      <div className="flex flex-wrap items-center gap-2 border-b border-line bg-canvas px-3 py-2">
        <Select
          label="State"
          value={search.state ?? ''}
          onChange={(value) => change({ state: value || undefined })}
          options={[['', 'Any state'], ...states.map(([state, title]) => [state.toLowerCase(), title] as const)]}
        />
        <Select
          label="Why"
          value={search.code ?? ''}
          onChange={(value) => change({ code: value || undefined })}
          options={[['', 'Any reason'], ...codes.map(([code, title]) => [code.toLowerCase(), title] as const)]}
        />
        <Select
          label="Source"
          value={search.source ?? ''}
          onChange={(value) => change({ source: value || undefined })}
          options={[['', 'Any source'], ...sourceOptions(sources.data?.sources.nodes ?? [], search.source)]}
        />
        <SearchBox
          label="Search dead letters"
          value={search.q ?? ''}
          onChange={(q) => setText(q || undefined)}
          inputRef={searchRef}
        />
        <Button
          icon={RotateCcw}
          disabled={ids.length === 0}
          onClick={() => setReplaying({ which: { filter }, what: narrowed ? 'all that match' : 'all dead letters' })}
        >
          {narrowed ? 'Replay all that match' : 'Replay all'}
        </Button>
      </div>
      {selection.ids.size > 0 && (
        <Selected
          ids={[...selection.ids]}
          mayDelete={mayAdminister}
          onReplay={(ids) => setReplaying({ which: { ids }, what: lettersText(ids.length) })}
          onDeleted={() => {
            selection.clear();
            list.refresh();
          }}
          onClear={selection.clear}
        />
      )}
      {list.error != null && list.items && <StaleBanner error={list.error} what="The list" onRetry={list.retry} />}
      <div className="relative flex min-h-0 grow">
        <div className="flex min-w-0 grow flex-col">
          <RecordGrid
            label="Dead letters"
            list={list}
            empty={narrowed ? <NoneMatches onAll={() => void navigate({ search: {} })} /> : <NothingRefused />}
            columns={columns}
            template={template}
            row={(letter) => (
              <Row letter={letter} selected={selection.ids.has(letter.id)} onSelect={selection.toggle} />
            )}
            activeId={active}
            selected={selection.ids}
            onActivate={activate}
            onOpen={(id) => change({ letter: id })}
          />
        </div>
        {search.letter && (
          <LetterPanel
            key={search.letter}
            id={search.letter}
            onReplay={(id) => setReplaying({ which: { ids: [id] }, what: 'the dead letter' })}
            onDismiss={() => change({ letter: undefined })}
          />
        )}
      </div>
      {replaying && (
        <ReplayDialog
          {...replaying}
          onReplayed={list.refresh}
          onClose={() => {
            setReplaying(null);
            list.refresh();
          }}
        />
      )}
    </>
  );
}

function lettersText(n: number): string {
  return n === 1 ? '1 dead letter' : `${n.toLocaleString('en')} dead letters`;
}

/** Those that something of was refused, and the one that is asked for. */
function sourceOptions(
  sources: readonly { id: string; name: string; rejected: number }[],
  asked: string | undefined,
): (readonly [string, string])[] {
  const options = sources.filter(({ id, rejected }) => rejected > 0 || id === asked);
  return [
    ...options.map(({ id, name }) => [id, name] as const),
    ...(asked && !options.some(({ id }) => id === asked) ? [[asked, 'A source that is gone'] as const] : []),
  ];
}

function NoneMatches({ onAll }: { onAll(): void }) {
  return <NoMatch title="No dead letter matches" all="Show all dead letters" onAll={onAll} />;
}

function NothingRefused() {
  return (
    <EmptyState icon={MailX} title="Nothing was refused">
      <p>
        A record that cannot be read, or that lacks what its mapping requires, is kept here for 30 days: its sender is
        told, and you can mend and replay it.
      </p>
      <p>
        Nothing sent yet?{' '}
        <Link to="/integrations" search={{ section: 'shippers' }} className="text-accent underline underline-offset-2">
          Connect a shipper or send a first event by curl
        </Link>
        .
      </p>
    </EmptyState>
  );
}

interface SelectedProps {
  ids: string[];
  mayDelete: boolean;
  onReplay(ids: string[]): void;
  onDeleted(): void;
  onClear(): void;
}

function Selected({ ids, mayDelete, onReplay, onDeleted, onClear }: SelectedProps) {
  const change = useChange();
  const [asking, setAsking] = useState(false);
  return (
    <div
      role="toolbar"
      aria-label="Change the selected dead letters"
      className="flex flex-wrap items-center gap-2 border-b border-line bg-accent-soft px-3 py-1.5 text-xs"
    >
      <span role="status" className="font-medium tabular-nums">
        {ids.length.toLocaleString('en')} selected
      </span>
      <Button icon={RotateCcw} onClick={() => onReplay(ids)}>
        Replay
      </Button>
      {mayDelete && (
        <Button icon={Trash2} onClick={() => setAsking(true)}>
          Delete
        </Button>
      )}
      <IconButton icon={X} label="Clear the selection" className="ml-auto size-6" onClick={onClear} />
      {asking && (
        <Confirm
          title={`Delete ${lettersText(ids.length)}?`}
          submit="Delete"
          onCancel={() => setAsking(false)}
          onConfirm={async () => {
            let deleted = 0;
            for (let at = 0; at < ids.length; at += mostDeleted) {
              const done = await change(DeadLetterDeleteDocument, { input: { ids: ids.slice(at, at + mostDeleted) } });
              if (!done) break;
              deleted += done.deletedIds.length;
            }
            setAsking(false);
            if (deleted > 0) notify('info', `${lettersText(deleted)} deleted.`);
            onDeleted();
          }}
        >
          What was not stored is gone then. The journal notes who deleted it.
        </Confirm>
      )}
    </div>
  );
}

interface RowProps {
  letter: DeadLetterFactsFragment;
  selected: boolean;
  onSelect(id: string, through: boolean): void;
}

function Row({ letter, selected, onSelect }: RowProps) {
  return (
    <>
      <div role="gridcell" className="flex items-center">
        <input
          type="checkbox"
          tabIndex={-1}
          aria-label={`Select ${codeLabel(letter.code)}, line ${letter.line}`}
          checked={selected}
          onChange={() => undefined}
          onClick={(event) => {
            event.stopPropagation();
            onSelect(letter.id, event.shiftKey);
          }}
          className="accent-accent"
        />
      </div>
      <div role="gridcell" className="truncate text-muted">
        <Time at={letter.at} />
      </div>
      <div role="gridcell" className={clsx('flex items-center', phone)}>
        <LetterBadge state={letter.state} />
      </div>
      <div role="gridcell" className="truncate" title={legible(letter.code)}>
        {legible(codeLabel(letter.code))}
      </div>
      <div role="gridcell" className={clsx('truncate text-muted', wide)} title={legible(letter.message)}>
        {legible(letter.message)}
      </div>
      <div role="gridcell" className="truncate" title={legible(`${letter.token} ${letter.protocol} ${letter.format}`)}>
        {legible(letter.token) || <span className="text-muted">no token</span>}
      </div>
      <div role="gridcell" className={clsx('text-xs tabular-nums', wide)}>
        {letter.size.toLocaleString('en')}
      </div>
    </>
  );
}
