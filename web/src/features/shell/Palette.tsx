// Everything by name: pages, and what the typed words could mean as a host, an
// address, a user or a search.
import { useNavigate } from '@tanstack/react-router';
import clsx from 'clsx';
import { type LucideIcon, Search, Waypoints } from 'lucide-react';
import { type KeyboardEvent, useId, useLayoutEffect, useRef, useState } from 'react';
import { useViewer } from '../../nouns/user/useViewer';
import { legible } from '../../ui/legible';
import { pages, parts, titleOf } from './pages';

interface Choice {
  id: string;
  label: string;
  detail?: string;
  icon: LucideIcon;
  to: string;
  search?: Record<string, string>;
}

const address = /^(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f:]*:[0-9a-f:]+)$/i;
const hash = /^(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64})$/i;

/** What the typed text offers. */
export function choicesFor(text: string, admin: boolean): Choice[] {
  const needle = text.trim();
  const found: Choice[] = pages
    .filter((page) => (!page.admin || admin) && page.label.toLowerCase().includes(needle.toLowerCase()))
    .map((page) => ({ id: page.to, label: page.label, detail: `g ${page.key}`, icon: page.icon, to: page.to }));
  if (!needle) return found;
  for (const { to, search, label, icon, admin: guarded } of parts) {
    if ((!guarded || admin) && label.toLowerCase().includes(needle.toLowerCase()))
      found.push({ id: label.replaceAll(' ', '-'), label, detail: `in ${titleOf(to)}`, icon, to, search });
  }
  const entity = (kind: string, noun: string): Choice => ({
    id: `entity-${kind}`,
    label: needle,
    detail: `look at this ${noun}`,
    icon: Waypoints,
    to: '/entity',
    search: { kind, value: needle },
  });
  if (address.test(needle)) found.unshift(entity('address', 'address'));
  else if (hash.test(needle)) found.unshift(entity('hash', 'file hash'));
  else found.push(entity('host', 'host'), entity('user', 'user'));
  found.push(
    { id: 'alerts', label: needle, detail: 'search alerts', icon: Search, to: '/alerts', search: { q: needle } },
    { id: 'events', label: needle, detail: 'search events', icon: Search, to: '/events', search: { q: needle } },
    { id: 'rules', label: needle, detail: 'search rules', icon: Search, to: '/rules', search: { q: needle } },
  );
  return found;
}

export function Palette({ onClose }: { onClose(): void }) {
  const navigate = useNavigate();
  const { mayAdminister } = useViewer();
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  const choices = choicesFor(text, mayAdminister);
  // Undone while it is still in the page: closing gives the focus back.
  useLayoutEffect(() => {
    const shown = dialog.current;
    if (!shown?.open) shown?.showModal();
    shown?.querySelector('input')?.focus();
    return () => shown?.close();
  }, []);
  const go = (choice: Choice | undefined) => {
    if (!choice) return;
    onClose();
    void navigate({ to: choice.to, search: choice.search ?? {} } as unknown as Parameters<typeof navigate>[0]);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const last = choices.length - 1;
    if (event.key === 'ArrowDown') setAt(at >= last ? 0 : at + 1);
    else if (event.key === 'ArrowUp') setAt(at <= 0 ? last : at - 1);
    else if (event.key === 'Enter') go(choices[at]);
    else return;
    event.preventDefault();
  };
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes it too
    <dialog
      ref={dialog}
      aria-label="Go to or find"
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => event.target === dialog.current && onClose()}
      className="mx-auto mt-[12vh] w-[min(34rem,calc(100vw-2rem))] rounded-xl border border-line bg-surface p-0 text-ink shadow-pop"
    >
      <input
        type="text"
        role="combobox"
        aria-label="Go to or find"
        aria-expanded
        aria-controls={id}
        aria-activedescendant={choices[at] && `${id}-${choices[at].id}`}
        placeholder="A page, a host, an address, a hash, or words to search"
        value={text}
        spellCheck={false}
        onChange={(event) => {
          setText(event.target.value);
          setAt(0);
        }}
        onKeyDown={onKeyDown}
        className="h-11 w-full border-b border-line bg-transparent px-4 text-base focus:outline-none"
      />
      <div id={id} role="listbox" aria-label="Choices" className="max-h-[50vh] overflow-y-auto p-1">
        {choices.map(({ icon: Icon, ...choice }, i) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the field handles the keys
          <div
            key={choice.id}
            id={`${id}-${choice.id}`}
            role="option"
            aria-selected={i === at}
            onClick={() => go(choices[i])}
            onPointerMove={() => setAt(i)}
            className={clsx(
              'flex cursor-pointer items-center gap-2.5 rounded-md px-3 py-1.5 text-sm',
              i === at && 'bg-selected',
            )}
          >
            <Icon size={15} aria-hidden className="shrink-0 text-muted" />
            <span className="truncate">{choice.label}</span>
            <span className="ml-auto shrink-0 text-xs text-faint">{legible(choice.detail ?? '')}</span>
          </div>
        ))}
      </div>
    </dialog>
  );
}
