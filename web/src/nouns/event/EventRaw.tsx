// The record as it came, pretty, with a search in it and what a rule found marked;
// or its fields one by one, to go on from.
import type { FragmentType } from '@apollo/client';
import { useFragment } from '@apollo/client/react';
import { Braces, List } from 'lucide-react';
import { useContext, useMemo, useState } from 'react';
import { IconButton } from '../../ui/Button';
import { CopyButton } from '../../ui/CopyButton';
import { Highlight, split } from '../../ui/Highlight';
import { type EventRawFragment, EventRawFragmentDoc } from './EventRaw.generated';
import { flatten } from './flatten';
import { paint } from './paint';
import { PivotButtons, PivotContext } from './pivot';

interface EventRawProps {
  event: FragmentType<EventRawFragment>;
  /** Values that made a rule fire. */
  matched?: readonly string[];
}

export function EventRaw({ event, matched = [] }: EventRawProps) {
  const { data, complete } = useFragment({ fragment: EventRawFragmentDoc, from: event });
  const raw = complete ? data.raw : null;
  const text = useMemo(() => (typeof raw === 'string' ? raw : JSON.stringify(raw, null, 2)), [raw]);
  const [needle, setNeedle] = useState('');
  const mayPivot = useContext(PivotContext) !== null;
  const [fields, setFields] = useState(mayPivot);
  if (!complete) return null;
  const hits = needle ? (split(text, needle).length - 1) / 2 : 0;
  return (
    <div className="overflow-hidden rounded-lg border border-line" data-detail>
      <div className="flex items-center gap-2 border-b border-line bg-raised py-1 pr-1 pl-2">
        <input
          type="text"
          role="searchbox"
          aria-label="Search in the raw record"
          placeholder="Search in the raw record"
          value={needle}
          onChange={(e) => setNeedle(e.target.value)}
          className="h-6 grow bg-transparent text-xs text-ink"
        />
        <span role="status" className="text-2xs text-muted tabular-nums">
          {needle && `${hits} found`}
        </span>
        <IconButton
          icon={fields ? Braces : List}
          label={fields ? 'Show the record as it came' : 'Show the fields one by one'}
          onClick={() => setFields(!fields)}
        />
        <CopyButton text={text} label="Copy the raw record" />
      </div>
      {fields ? (
        <Fields record={raw} needle={needle} />
      ) : (
        <pre
          tabIndex={0}
          className="max-h-96 overflow-auto bg-surface p-3 font-mono text-xs leading-5 break-all whitespace-pre-wrap"
        >
          {needle ? <Highlight text={text} needle={needle} /> : paint(text, matched)}
        </pre>
      )}
    </div>
  );
}

function Fields({ record, needle }: { record: unknown; needle: string }) {
  const wanted = needle.toLowerCase();
  const leaves = useMemo(() => flatten(record), [record]).filter(
    ({ path, value }) => path.toLowerCase().includes(wanted) || value.toLowerCase().includes(wanted),
  );
  if (leaves.length === 0) return <p className="bg-surface px-3 py-2 text-xs text-muted">No field has it.</p>;
  return (
    <dl tabIndex={0} className="max-h-96 overflow-auto bg-surface py-1 font-mono text-xs leading-5">
      {leaves.map(({ path, value, asks }) => (
        <div key={path} className="group flex items-start gap-3 px-3 hover:bg-hover">
          <dt className="w-2/5 max-w-72 shrink-0 break-all text-accent">
            <Highlight text={path} needle={needle} />
          </dt>
          <dd className="flex min-w-0 items-start gap-3">
            <span className="min-w-0 break-all">
              <Highlight text={value} needle={needle} />
            </span>
            {asks && <PivotButtons name={`raw.${path}`} value={value} />}
          </dd>
        </div>
      ))}
    </dl>
  );
}
