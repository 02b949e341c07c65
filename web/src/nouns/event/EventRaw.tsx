// The record as it came, pretty, with a search in it.
import type { FragmentType } from '@apollo/client';
import { useFragment } from '@apollo/client/react';
import { useMemo, useState } from 'react';
import { CopyButton } from '../../ui/CopyButton';
import { Highlight, split } from '../../ui/Highlight';
import { type EventRawFragment, EventRawFragmentDoc } from './EventRaw.generated';
import { paint } from './paint';

export function EventRaw({ event }: { event: FragmentType<EventRawFragment> }) {
  const { data, complete } = useFragment({ fragment: EventRawFragmentDoc, from: event });
  const raw = complete ? data.raw : null;
  const text = useMemo(() => (typeof raw === 'string' ? raw : JSON.stringify(raw, null, 2)), [raw]);
  const [needle, setNeedle] = useState('');
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
        <CopyButton text={text} label="Copy the raw record" />
      </div>
      <pre
        tabIndex={0}
        className="max-h-96 overflow-auto bg-surface p-3 font-mono text-xs leading-5 break-all whitespace-pre-wrap"
      >
        {needle ? <Highlight text={text} needle={needle} /> : paint(text)}
      </pre>
    </div>
  );
}
