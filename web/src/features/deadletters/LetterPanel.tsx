// A dead letter: the record as it came, why it was refused, what became of it since.
import { useQuery } from '@apollo/client/react';
import { Link } from '@tanstack/react-router';
import { RotateCcw, SearchX } from 'lucide-react';
import { formatOf } from '../../nouns/deadletter/outcome';
import { Time } from '../../nouns/time/Time';
import { Banner } from '../../ui/Banner';
import { Button, buttonLook } from '../../ui/Button';
import { CopyButton } from '../../ui/CopyButton';
import { Facts } from '../../ui/Facts';
import { legible } from '../../ui/legible';
import { Section } from '../../ui/Section';
import { Side } from '../../ui/Side';
import { EmptyState, ErrorState, Skeleton } from '../../ui/States';
import { useEvery } from '../../ui/useEvery';
import { DeadLetterDetailDocument, type DeadLetterDetailQuery, LetterMappingsDocument } from './DeadLetters.generated';
import { codeLabel, mappingOf } from './filters';
import { LetterBadge } from './LetterBadge';

type Letter = NonNullable<DeadLetterDetailQuery['deadLetter']>;

const link = 'text-accent underline underline-offset-2';

interface LetterPanelProps {
  id: string;
  onReplay(id: string): void;
  onDismiss(): void;
}

export function LetterPanel({ id, onReplay, onDismiss }: LetterPanelProps) {
  const { data, error, refetch } = useQuery(DeadLetterDetailDocument, {
    variables: { id },
    fetchPolicy: 'cache-and-network',
  });
  const reload = () => void refetch().catch(() => undefined);
  useEvery(5_000, reload);
  const letter = data?.deadLetter;
  return (
    <Side label="Dead letter" onDismiss={onDismiss}>
      {letter ? (
        <div className="space-y-5">
          <div>
            <h3 className="text-lg font-semibold break-words">{legible(codeLabel(letter.code))}</h3>
            <p className="flex flex-wrap items-center gap-2 text-xs text-muted">
              <LetterBadge state={letter.state} />
              <span>
                came <Time at={letter.at} />
              </span>
            </p>
          </div>
          <Banner tone="warn" live={false}>
            {legible(letter.message)}
          </Banner>
          {letter.cut && (
            <Banner tone="info" live={false}>
              Only its beginning is kept: it cannot be replayed. Let it be sent again.
            </Banner>
          )}
          <div className="flex flex-wrap gap-2">
            {!letter.cut && letter.state !== 'REPLAYED' && (
              <Button look="primary" icon={RotateCcw} onClick={() => onReplay(letter.id)}>
                Replay
              </Button>
            )}
            <MapIt letter={letter} />
          </div>
          <Section title="The record as it came">
            <Raw text={letter.raw} />
          </Section>
          <Facts
            rows={[
              ['Code', <code key="c">{legible(letter.code)}</code>],
              ['Place', `Record ${letter.line} of its request`],
              ['Kept', `${letter.size.toLocaleString('en')} bytes`],
              ['Token', letter.token || 'None of the database'],
              ['Sent by', letter.protocol],
              ['Format', letter.format],
              [
                'Source',
                <Link key="s" to="/sources" search={{ source: letter.sourceId }} className={link}>
                  How it is
                </Link>,
              ],
              ['Replayed', letter.replayedAt && <Time key="r" at={letter.replayedAt} />],
              ['Outcome', letter.result && <Result key="o" text={letter.result} />],
            ]}
          />
        </div>
      ) : error ? (
        <ErrorState title="The dead letter cannot be loaded" error={error} onRetry={reload} />
      ) : data ? (
        <EmptyState icon={SearchX} title="The dead letter is kept no longer" />
      ) : (
        <Skeleton className="h-96" />
      )}
    </Side>
  );
}

/** A mapping helps where there is JSON to map: the one that refused it is mended, or one is made. */
function MapIt({ letter }: { letter: Letter }) {
  const by = letter.state === 'REPLAYED' ? null : mappingOf(letter);
  const { data } = useQuery(LetterMappingsDocument, { fetchPolicy: 'cache-and-network', skip: !by });
  const mapping = data?.mappings.nodes.find(({ name }) => name === by);
  if (letter.cut || letter.state === 'REPLAYED') return null;
  if (mapping) {
    return (
      <Link
        to="/sources/mappings/$id"
        params={{ id: mapping.id }}
        search={{ letter: letter.id }}
        className={buttonLook('secondary')}
      >
        Mend the mapping {legible(mapping.name)}
      </Link>
    );
  }
  if (!letter.raw.trimStart().startsWith('{')) return null;
  return (
    <Link to="/sources/mappings/new" search={{ letter: letter.id }} className={buttonLook('secondary')}>
      Make a mapping
    </Link>
  );
}

function Result({ text }: { text: string }) {
  const format = formatOf(text);
  if (!format) return legible(text);
  return (
    <Link to="/events" search={{ q: `format:"${format}"` }} className={link}>
      {legible(text)}
    </Link>
  );
}

function Raw({ text }: { text: string }) {
  return (
    <div className="flex items-start gap-1 rounded-md border border-line bg-raised p-1">
      <pre
        tabIndex={0}
        className="max-h-96 min-w-0 grow overflow-auto p-1 font-mono text-xs leading-5 break-all whitespace-pre-wrap"
      >
        {legible(text)}
      </pre>
      <CopyButton text={text} label="Copy the record" />
    </div>
  );
}
