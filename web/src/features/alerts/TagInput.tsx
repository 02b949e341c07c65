// A field for a tag, which completes those that are in use.
import { useLazyQuery } from '@apollo/client/react';
import { forwardRef, useId, useMemo } from 'react';
import { AlertTagsInUseDocument } from './AlertTags.generated';

interface TagInputProps {
  label: string;
  /** Those that need no offer: it has them. */
  known?: readonly string[];
  value: string;
  maxLength?: number;
  className?: string;
  onChange(value: string): void;
}

export const TagInput = forwardRef<HTMLInputElement, TagInputProps>(function TagInput(
  { label, known = [], value, onChange, ...rest },
  ref,
) {
  const id = useId();
  // Read once somebody means to type one.
  const [read, { data, called }] = useLazyQuery(AlertTagsInUseDocument, { fetchPolicy: 'cache-first' });
  const offered = useMemo(() => {
    const all = new Set(data?.alerts.nodes.flatMap((alert) => alert.tags));
    for (const tag of known) all.delete(tag);
    return [...all].sort((a, b) => a.localeCompare(b));
  }, [data, known]);
  return (
    <>
      <input
        ref={ref}
        aria-label={label}
        placeholder={label}
        list={id}
        value={value}
        autoComplete="off"
        onFocus={() => {
          if (!called) void read().catch(() => undefined);
        }}
        onChange={(event) => onChange(event.target.value)}
        {...rest}
      />
      <datalist id={id}>
        {offered.map((tag) => (
          <option key={tag} value={tag} />
        ))}
      </datalist>
    </>
  );
});
