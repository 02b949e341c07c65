// A search field that tells its text a little after typing stops.
import { Search, X } from 'lucide-react';
import { type RefObject, useEffect, useRef, useState } from 'react';
import { Kbd } from './Kbd';

const typingPause = 250;

interface SearchBoxProps {
  value: string;
  onChange(text: string): void;
  label: string;
  inputRef?: RefObject<HTMLInputElement>;
}

export function SearchBox({ value, onChange, label, inputRef }: SearchBoxProps) {
  const [text, setText] = useState(value);
  const told = useRef(value);
  const latest = useRef(onChange);
  latest.current = onChange;
  useEffect(() => {
    if (value !== told.current) setText(value);
    told.current = value;
  }, [value]);
  useEffect(() => {
    if (text === told.current) return;
    const timer = setTimeout(() => {
      told.current = text;
      latest.current(text);
    }, typingPause);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <div className="relative flex min-w-52 grow items-center">
      <Search size={14} aria-hidden className="pointer-events-none absolute left-2.5 text-faint" />
      <input
        ref={inputRef}
        type="text"
        role="searchbox"
        aria-label={label}
        placeholder={label}
        value={text}
        spellCheck={false}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Escape') return;
          event.stopPropagation();
          if (text) setText('');
          else event.currentTarget.blur();
        }}
        className="h-7 w-full rounded-md border border-line bg-surface pr-8 pl-8 text-xs text-ink hover:border-line-strong"
      />
      {text ? (
        <button
          type="button"
          aria-label="Clear the search"
          onClick={() => setText('')}
          className="absolute right-0.5 inline-flex size-6 items-center justify-center rounded text-faint hover:text-ink"
        >
          <X size={13} aria-hidden />
        </button>
      ) : (
        <Kbd className="pointer-events-none absolute right-2 text-faint">/</Kbd>
      )}
    </div>
  );
}
