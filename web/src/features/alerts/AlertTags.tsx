// The alert's tags: words to find it by, added and taken off here.
import type { FragmentType } from '@apollo/client';
import { useFragment } from '@apollo/client/react';
import { X } from 'lucide-react';
import { type FormEvent, useRef, useState } from 'react';
import { legible } from '../../ui/legible';
import { type AlertTagsFragment, AlertTagsFragmentDoc } from './AlertTags.generated';
import { TagInput } from './TagInput';
import { longestTag, mostTags } from './tags';
import type { AlertActions } from './useAlertActions';

interface AlertTagsProps {
  alert: FragmentType<AlertTagsFragment>;
  /** Absent: who looks may not change them. */
  actions?: AlertActions;
}

export function AlertTags({ alert, actions }: AlertTagsProps) {
  const { data, complete } = useFragment({ fragment: AlertTagsFragmentDoc, from: alert, fragmentName: 'AlertTags' });
  const [typed, setTyped] = useState('');
  const input = useRef<HTMLInputElement>(null);
  if (!complete) return null;
  const { tags } = data;
  const add = async (event: FormEvent) => {
    event.preventDefault();
    const tag = typed.trim().toLowerCase();
    if (!tag) return;
    setTyped('');
    if (tags.includes(tag)) return;
    // What was refused is there again, to be mended.
    if (!(await actions?.tag(data, { tags, add: [tag] }))) setTyped((now) => now || tag);
  };
  const remove = (tag: string) => {
    // The button goes with its tag: the focus must not be lost with it.
    input.current?.focus();
    void actions?.tag(data, { tags, remove: [tag] });
  };
  if (!actions && tags.length === 0) return <span className="text-muted">None</span>;
  return (
    <div className="flex flex-wrap items-center gap-1">
      {tags.length > 0 && (
        <ul aria-label="Tags" className="contents">
          {tags.map((tag) => (
            <li
              key={tag}
              className="inline-flex h-6 max-w-full items-center rounded-md border border-line bg-raised pl-2 text-xs last:pr-0"
            >
              <span className={actions ? 'truncate' : 'truncate pr-2'}>{legible(tag)}</span>
              {actions && (
                <button
                  type="button"
                  aria-label={`Take off the tag ${legible(tag)}`}
                  title="Take it off"
                  onClick={() => remove(tag)}
                  className="inline-flex size-6 shrink-0 items-center justify-center text-muted hover:text-ink"
                >
                  <X size={12} aria-hidden />
                </button>
              )}
            </li>
          ))}
        </ul>
      )}
      {actions && tags.length < mostTags && (
        <form onSubmit={add} className="contents">
          <TagInput
            ref={input}
            label="Add a tag"
            known={tags}
            value={typed}
            maxLength={longestTag}
            onChange={setTyped}
            className="h-6 w-36 rounded-md border border-line bg-surface px-2 text-xs"
          />
        </form>
      )}
    </div>
  );
}
