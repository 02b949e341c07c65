// A mapping is written: tried on records while it is, stored, and what was refused replayed.
import { useQuery } from '@apollo/client/react';
import { Link, useBlocker, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { RotateCcw, SearchX, Trash2 } from 'lucide-react';
import { useEffect, useMemo, useRef, useState } from 'react';
import { ReplayDialog } from '../../nouns/deadletter/ReplayDialog';
import type { Which } from '../../nouns/deadletter/useReplay';
import { JournalList } from '../../nouns/journal/JournalList';
import { useExplainedChange } from '../../nouns/journal/useExplainedChange';
import { Time } from '../../nouns/time/Time';
import { useViewer } from '../../nouns/user/useViewer';
import { Banner } from '../../ui/Banner';
import { Button } from '../../ui/Button';
import { Command } from '../../ui/Command';
import { Confirm } from '../../ui/Confirm';
import { legible } from '../../ui/legible';
import { notify } from '../../ui/notices';
import { Section } from '../../ui/Section';
import { EmptyState, ErrorState, SkeletonRows } from '../../ui/States';
import { type Draft, draftOf, empty, problemOf, rulesOf } from './draft';
import type { MappingSearch } from './filters';
import { MappingForm } from './MappingForm';
import {
  MappingCreateDocument,
  MappingDeleteDocument,
  MappingDraftDocument,
  type MappingDraftQuery,
  MappingLettersDocument,
  MappingUpdateDocument,
  SampleEventDocument,
  SampleLetterDocument,
} from './Mappings.generated';
import { MappingTrial } from './MappingTrial';
import { pathsOf, pretty, readSamples } from './samples';

type Mapping = NonNullable<MappingDraftQuery['mapping']>;

const typingPause = 400;

export function MappingEditorPage() {
  const { id } = useParams({ strict: false });
  const { data, error, refetch } = useQuery(MappingDraftDocument, {
    variables: { id: id ?? '' },
    skip: !id,
    fetchPolicy: 'cache-and-network',
  });
  const reload = () => void refetch().catch(() => undefined);
  if (!id) return <Editor key="new" mapping={null} onStored={() => undefined} />;
  if (data?.mapping) return <Editor key={data.mapping.id} mapping={data.mapping} onStored={reload} />;
  if (error) return <ErrorState title="The mapping cannot be loaded" error={error} onRetry={reload} />;
  return data ? <EmptyState icon={SearchX} title="There is no such mapping" /> : <SkeletonRows />;
}

/** What of a draft is stored; keys of rows and blanks are not. */
function signature(draft: Draft): string {
  return JSON.stringify([draft.name, draft.enabled, rulesOf(draft), draft.signatureHeader.trim(), draft.secret]);
}

/** The text of the record that the address names; null while there is none. */
function useSample({ letter, event }: MappingSearch, mayWork: boolean): string | null {
  const letters = useQuery(SampleLetterDocument, { variables: { id: letter ?? '' }, skip: !letter || !mayWork });
  const events = useQuery(SampleEventDocument, { variables: { id: event ?? '' }, skip: !event });
  if (letter) return letters.data?.deadLetter ? pretty(letters.data.deadLetter.raw) : null;
  return event && events.data?.event ? JSON.stringify(events.data.event.raw, null, 2) : null;
}

function Editor({ mapping, onStored }: { mapping: Mapping | null; onStored(): void }) {
  const change = useExplainedChange();
  const navigate = useNavigate();
  const search: MappingSearch = useSearch({ strict: false });
  const { viewer, mayWork, mayAdminister } = useViewer();
  const stored = useMemo(() => (mapping ? draftOf(mapping) : empty), [mapping]);
  const [draft, setDraft] = useState(stored);
  const [text, setText] = useState('');
  const [busy, setBusy] = useState(false);

  // The record of the address stands there, unless somebody has written another.
  const sample = useSample(search, mayWork);
  useEffect(() => {
    if (sample) setText((was) => was || sample);
  }, [sample]);
  const samples = useMemo(() => readSamples(text), [text]);
  const paths = useMemo(() => pathsOf(samples.records), [samples]);

  // The server is asked when typing has stopped.
  const [tried, setTried] = useState(() => rulesOf(draft));
  useEffect(() => {
    const timer = setTimeout(() => setTried(rulesOf(draft)), typingPause);
    return () => clearTimeout(timer);
  }, [draft]);

  // Who may not store loses nothing by leaving.
  const dirty = mayAdminister && signature(draft) !== signature(stored);
  // Somebody else has stored a version: who has written nothing sees that one.
  const before = useRef(stored);
  useEffect(() => {
    const was = before.current;
    before.current = stored;
    setDraft((draft) => (signature(draft) === signature(was) ? stored : draft));
  }, [stored]);
  // Read at the moment of leaving: it is set and left in one go, with no drawing between.
  const leaving = useRef(false);
  useBlocker({
    shouldBlockFn: ({ current, next }) =>
      dirty &&
      !leaving.current &&
      current.pathname !== next.pathname &&
      !confirm('What you have written is not stored. Leave it?'),
    enableBeforeUnload: () => dirty && !leaving.current,
  });

  const problem = problemOf(draft, mapping?.signed ?? false);
  const store = async () => {
    const { name, enabled, secret } = draft;
    const input = {
      name,
      enabled,
      rules: rulesOf(draft),
      signatureHeader: draft.signatureHeader.trim(),
      ...(secret && { secret }),
    };
    setBusy(true);
    if (mapping) {
      const done = await change(MappingUpdateDocument, {
        input: { id: mapping.id, expectedVersion: mapping.version, ...input },
      });
      setBusy(false);
      if (done?.mapping) {
        setDraft(draftOf(done.mapping));
        notify('info', 'Stored. Every replica follows within a second.');
      }
      // Refused or not, what there is now is read again: it can then be decided on.
      onStored();
      return;
    }
    const done = await change(MappingCreateDocument, { input });
    setBusy(false);
    if (!done?.mapping) return;
    leaving.current = true;
    notify('info', 'Stored. Every replica follows within a second.');
    void navigate({ to: '/sources/mappings/$id', params: { id: done.mapping.id }, search, replace: true });
  };
  return (
    <>
      <div className="flex flex-wrap items-center gap-3 border-b border-line bg-canvas px-3 py-2">
        <Link to="/sources/mappings" className="text-xs text-accent underline underline-offset-2">
          Mappings
        </Link>
        <h1 className="min-w-0 truncate text-sm font-semibold">{legible(mapping ? mapping.name : 'New mapping')}</h1>
        {mapping && <span className="text-xs text-muted">version {mapping.version}</span>}
        {dirty && <span className="text-xs text-warn">not stored</span>}
        <span role="status" className="ml-auto text-xs text-muted">
          {dirty && problem}
        </span>
        {mayAdminister && mapping && (
          <Delete
            mapping={mapping}
            onGone={() => {
              leaving.current = true;
              void navigate({ to: '/sources/mappings' });
            }}
          />
        )}
        {mayAdminister && (
          <Button look="primary" disabled={!dirty || busy || problem !== null} onClick={() => void store()}>
            {mapping ? 'Store the mapping' : 'Create mapping'}
          </Button>
        )}
      </div>
      {viewer && !mayAdminister && (
        <Banner tone="info">
          Administrators make and change mappings.{mayWork && ' You can try one here on records; nothing is stored.'}
        </Banner>
      )}
      <div className="flex min-h-0 grow max-lg:flex-col max-lg:overflow-y-auto">
        <section
          aria-label="What the mapping does"
          tabIndex={0}
          className="min-w-0 grow border-line p-4 focus-visible:outline-offset-[-2px] lg:overflow-y-auto lg:border-r"
        >
          <div className="mx-auto max-w-3xl">
            <MappingForm
              draft={draft}
              paths={paths}
              signed={mapping?.signed ?? false}
              readOnly={!mayWork}
              onChange={setDraft}
            />
          </div>
        </section>
        <section
          aria-label="What it makes of records"
          tabIndex={0}
          className="w-full shrink-0 space-y-6 bg-surface p-4 focus-visible:outline-offset-[-2px] lg:w-[34rem] lg:overflow-y-auto"
        >
          {mayWork && <MappingTrial text={text} samples={samples} rules={tried} onText={setText} />}
          {mayWork && (
            <Letters mapping={mapping} letter={search.letter} ready={mapping !== null && !dirty} onTry={setText} />
          )}
          {mapping && (
            <>
              <Section title="Its webhook">
                <Command text={webhookCommand(mapping)} />
              </Section>
              <Section title="History">
                <JournalList entries={mapping.journal.nodes} more={mapping.journal.pageInfo.hasNextPage} />
              </Section>
            </>
          )}
        </section>
      </div>
    </>
  );
}

function webhookCommand({ webhookPath, signed, signatureHeader }: Mapping): string {
  const url = `${location.origin}${webhookPath}`;
  if (!signed) return `curl ${url} -H "X-Api-Key: $TOKEN" -d '{"node":"door-1"}'`;
  return `BODY='{"node":"door-1"}'
curl ${url} -d "$BODY" \\
  -H "${signatureHeader}: sha256=$(printf %s "$BODY" | openssl dgst -sha256 -hmac "$SECRET" -r | cut -d' ' -f1)"`;
}

interface LettersProps {
  mapping: Mapping | null;
  /** The letter that somebody came with. */
  letter?: string;
  /** What is shown is in force, so that a replay is read by it. */
  ready: boolean;
  onTry(text: string): void;
}

/** What was refused: the letter that somebody came with, and those that lack what the mapping requires. */
function Letters({ mapping, letter, ready, onTry }: LettersProps) {
  const filter = { code: 'MAPPING_FAILED', text: `the mapping ${mapping?.name} requires` };
  const { data, refetch } = useQuery(MappingLettersDocument, {
    variables: { filter },
    skip: !mapping,
    fetchPolicy: 'cache-and-network',
  });
  const [replaying, setReplaying] = useState<{ which: Which; what: string } | null>(null);
  const refused = data?.deadLetters.nodes ?? [];
  if (!letter && refused.length === 0) return null;
  // The letter of the address has a button of its own.
  const alone = refused.every(({ id }) => id === letter);
  const whole = refused.filter(({ cut }) => !cut);
  return (
    <Section title="Dead letters">
      <div className="space-y-2">
        {refused.length > 0 && (
          <ul className="space-y-1 text-xs">
            {refused.map(({ id, at, message }) => (
              <li key={id} className="flex gap-2">
                <Link
                  to="/sources/dead-letters"
                  search={{ letter: id }}
                  className="min-w-0 grow truncate text-accent underline underline-offset-2"
                >
                  {legible(message)}
                </Link>
                <span className="shrink-0 text-muted">
                  <Time at={at} />
                </span>
              </li>
            ))}
          </ul>
        )}
        {!ready && <p className="text-xs text-muted">Store the mapping, then replay them.</p>}
        <div className="flex flex-wrap gap-2">
          {whole.length > 0 && (
            <Button onClick={() => onTry(whole.map(({ raw }) => raw.replaceAll('\n', ' ')).join('\n'))}>
              Try it on them
            </Button>
          )}
          {letter && (
            <Button
              icon={RotateCcw}
              disabled={!ready}
              onClick={() => setReplaying({ which: { ids: [letter] }, what: 'the dead letter' })}
            >
              Replay the letter
            </Button>
          )}
          {!alone && (
            <Button
              icon={RotateCcw}
              disabled={!ready}
              onClick={() => setReplaying({ which: { filter }, what: 'what it refused' })}
            >
              Replay all that it refused
            </Button>
          )}
        </div>
      </div>
      {replaying && (
        <ReplayDialog
          {...replaying}
          onReplayed={() => void refetch().catch(() => undefined)}
          onClose={() => setReplaying(null)}
        />
      )}
    </Section>
  );
}

function Delete({ mapping, onGone }: { mapping: Mapping; onGone(): void }) {
  const change = useExplainedChange();
  const [asking, setAsking] = useState(false);
  return (
    <>
      <Button icon={Trash2} look="danger" onClick={() => setAsking(true)}>
        Delete
      </Button>
      {asking && (
        <Confirm
          title={`Delete ${mapping.name}?`}
          submit="Delete"
          onCancel={() => setAsking(false)}
          onConfirm={async () => {
            const done = await change(MappingDeleteDocument, {
              input: { id: mapping.id, expectedVersion: mapping.version },
            });
            setAsking(false);
            if (done) onGone();
          }}
        >
          Its webhook goes with it, and its records are read as unknown ones. Events stay as they were read. To stop it
          for a while, take it out of force.
        </Confirm>
      )}
    </>
  );
}
