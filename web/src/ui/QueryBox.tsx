// A search field for query lines: it completes fields and values, and shows where
// a line is wrong.
import clsx from 'clsx';
import { CircleAlert, Search, X } from 'lucide-react';
import { type KeyboardEvent, type RefObject, useEffect, useId, useLayoutEffect, useRef, useState } from 'react';
import { type Completion, type CompletionField, complete } from './completion';
import { Kbd } from './Kbd';
import { legible } from './legible';

export interface QueryLineState {
  fields: readonly CompletionField[];
  problem: { message: string; position: number; length: number; hint?: string | null } | null;
}

interface QueryBoxProps {
  label: string;
  value: string;
  line: QueryLineState;
  onChange(text: string): void;
  inputRef?: RefObject<HTMLInputElement>;
}

const typingPause = 350;

export function QueryBox({ label, value, line, onChange, inputRef }: QueryBoxProps) {
  const own = useRef<HTMLInputElement>(null);
  const input = inputRef ?? own;
  const [text, setText] = useState(value);
  const [caret, setCaret] = useState(0);
  const [open, setOpen] = useState(false);
  const [at, setAt] = useState(-1);
  const told = useRef(value);
  const latest = useRef(onChange);
  latest.current = onChange;
  const id = useId();
  useEffect(() => {
    if (value !== told.current) setText(value);
    told.current = value;
  }, [value]);
  const tell = (next: string) => {
    told.current = next;
    latest.current(next);
  };
  useEffect(() => {
    if (text === told.current) return;
    const timer = setTimeout(() => {
      told.current = text;
      latest.current(text);
    }, typingPause);
    return () => clearTimeout(timer);
  }, [text]);

  /** Where the cursor goes once a completion is in the text. */
  const landing = useRef<number | null>(null);
  const { from, to, choices } = complete(text, caret, line.fields);
  const shown = open && choices.length > 0;
  const take = (choice: Completion) => {
    const next = text.slice(0, from) + choice.insert + text.slice(to);
    const end = from + choice.insert.length;
    setText(next);
    setCaret(end);
    setAt(-1);
    landing.current = end;
  };
  // With the text, not a frame later: somebody may have typed on by then.
  useLayoutEffect(() => {
    if (landing.current === null) return;
    input.current?.focus();
    input.current?.setSelectionRange(landing.current, landing.current);
    landing.current = null;
  });
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>) => {
    const chosen = choices[at];
    if (event.key === 'ArrowDown' && shown) setAt((at + 1) % choices.length);
    else if (event.key === 'ArrowUp' && shown) setAt(at <= 0 ? choices.length - 1 : at - 1);
    else if (event.key === 'Tab' && shown && !event.shiftKey && choices[Math.max(0, at)])
      take(choices[Math.max(0, at)] as Completion);
    else if (event.key === 'Enter') {
      if (shown && chosen) take(chosen);
      else {
        setOpen(false);
        tell(text);
      }
    } else if (event.key === 'Escape') {
      event.stopPropagation();
      if (shown) setOpen(false);
      else if (text) setText('');
      else event.currentTarget.blur();
    } else return;
    event.preventDefault();
  };
  const problem = line.problem && text === value ? line.problem : null;
  return (
    <div className="relative min-w-64 grow">
      <div className="relative flex items-center">
        <Search size={14} aria-hidden className="pointer-events-none absolute left-2.5 text-faint" />
        <input
          ref={input}
          type="text"
          role="combobox"
          aria-label={label}
          aria-expanded={shown}
          aria-controls={`${id}-list`}
          aria-activedescendant={shown && at >= 0 ? `${id}-${at}` : undefined}
          aria-invalid={problem !== null}
          aria-describedby={problem ? `${id}-problem` : undefined}
          placeholder={label}
          value={text}
          spellCheck={false}
          autoComplete="off"
          onChange={(event) => {
            setText(event.target.value);
            setCaret(event.target.selectionStart ?? event.target.value.length);
            setOpen(true);
            setAt(-1);
          }}
          onSelect={(event) => setCaret(event.currentTarget.selectionStart ?? 0)}
          onBlur={() => setOpen(false)}
          onKeyDown={onKeyDown}
          className={clsx(
            'h-7 w-full rounded-md border bg-surface pr-8 pl-8 font-mono text-xs text-ink placeholder:font-sans',
            problem ? 'border-critical' : 'border-line hover:border-line-strong',
          )}
        />
        {text ? (
          <button
            type="button"
            aria-label="Clear the search"
            onClick={() => {
              setText('');
              tell('');
            }}
            className="absolute right-0.5 inline-flex size-6 items-center justify-center rounded text-faint hover:text-ink"
          >
            <X size={13} aria-hidden />
          </button>
        ) : (
          <Kbd className="pointer-events-none absolute right-2 text-faint">/</Kbd>
        )}
      </div>
      <div
        id={`${id}-list`}
        role="listbox"
        aria-label="Completions"
        hidden={!shown}
        className="absolute top-full left-6 z-40 mt-1 min-w-48 rounded-lg border border-line bg-surface p-1 shadow-pop"
      >
        {choices.map((choice, i) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the field handles the keys
          <div
            key={choice.label}
            id={`${id}-${i}`}
            role="option"
            aria-selected={i === at}
            onPointerDown={(event) => event.preventDefault()}
            onClick={() => take(choice)}
            className={clsx(
              'flex cursor-pointer gap-4 rounded-md px-2 py-1 font-mono text-xs',
              i === at && 'bg-selected',
            )}
          >
            {choice.label}
            <span className="ml-auto font-sans text-faint">{choice.detail}</span>
          </div>
        ))}
      </div>
      {problem && !shown && (
        <p
          id={`${id}-problem`}
          role="status"
          className="absolute top-full left-0 z-30 mt-1 flex max-w-full items-start gap-1.5 rounded-md border border-critical bg-surface px-2 py-1 text-xs text-critical shadow-pop"
        >
          <CircleAlert size={13} aria-hidden className="mt-0.5 shrink-0" />
          <span>
            {legible(problem.message)}
            {problem.length > 0 && (
              <>
                {' at '}
                <code className="font-mono">
                  {text.slice(problem.position - 1, problem.position - 1 + problem.length)}
                </code>
              </>
            )}
            {problem.hint && <span className="text-muted">. {problem.hint}</span>}
          </span>
        </p>
      )}
    </div>
  );
}
