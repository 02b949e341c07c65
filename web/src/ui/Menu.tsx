// A button that opens a list of things to do or to choose from: arrow keys move,
// Enter chooses, Escape and a click elsewhere close.
import { Check } from 'lucide-react';
import { type KeyboardEvent, type ReactNode, useEffect, useId, useLayoutEffect, useRef, useState } from 'react';
import { legible } from './legible';

export interface MenuItem {
  id: string;
  label: ReactNode;
  detail?: ReactNode;
  /** Given: one of several to choose from. */
  checked?: boolean;
  /** Several can be chosen: the menu stays open. */
  many?: boolean;
  onSelect(): void;
}

/** Pixels between the button and the list, and between the list and the window's edge. */
const gap = 4;
const edge = 8;

interface MenuProps {
  /** Draws the button; spread the properties on it. */
  trigger(properties: { id: string; 'aria-haspopup': 'menu'; 'aria-expanded': boolean; onClick(): void }): ReactNode;
  items: readonly MenuItem[];
  label: string;
  align?: 'left' | 'right';
  header?: ReactNode;
}

export function Menu({ trigger, items, label, align = 'left', header }: MenuProps) {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const pane = useRef<HTMLDivElement>(null);
  const id = useId();

  // Above everything, where the button is and the window has room: a table that
  // scrolls would cut it off.
  useLayoutEffect(() => {
    const [button, shown] = [document.getElementById(id), pane.current];
    if (!open || !button || !shown) return;
    shown.showPopover?.();
    const place = () => {
      const at = button.getBoundingClientRect();
      const { width, height } = shown.getBoundingClientRect();
      const left = align === 'right' ? at.right - width : at.left;
      const below = at.bottom + gap + height <= window.innerHeight - edge;
      shown.style.left = `${Math.max(edge, Math.min(left, window.innerWidth - width - edge))}px`;
      shown.style.top = `${below ? at.bottom + gap : Math.max(edge, at.top - gap - height)}px`;
    };
    place();
    window.addEventListener('resize', place);
    window.addEventListener('scroll', place, true);
    return () => {
      window.removeEventListener('resize', place);
      window.removeEventListener('scroll', place, true);
    };
  }, [open, align, id]);

  useEffect(() => {
    if (!open) return;
    focusItem(list.current, 0);
    const onPointer = (event: PointerEvent) => {
      if (!box.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener('pointerdown', onPointer);
    return () => document.removeEventListener('pointerdown', onPointer);
  }, [open]);

  const close = () => {
    setOpen(false);
    document.getElementById(id)?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const all = [...(list.current?.querySelectorAll('button') ?? [])];
    const at = all.indexOf(document.activeElement as HTMLButtonElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (event.key === 'Escape') close();
    else if (event.key === 'Tab') setOpen(false);
    else if (to !== undefined) focusItem(list.current, to);
    else return;
    if (event.key !== 'Tab') event.preventDefault();
    event.stopPropagation();
  };

  return (
    <div ref={box} className="relative inline-flex">
      {trigger({ id, 'aria-haspopup': 'menu', 'aria-expanded': open, onClick: () => setOpen((was) => !was) })}
      {open && (
        <div
          ref={pane}
          // React 18's types do not know the attribute.
          {...{ popover: 'manual' }}
          className="fixed inset-auto m-0 max-h-[min(20rem,calc(100vh-1rem))] max-w-[calc(100vw-1rem)] min-w-48 overflow-y-auto rounded-lg border border-line bg-surface p-1 text-ink shadow-pop"
        >
          {header}
          <div ref={list} role="menu" tabIndex={-1} aria-label={label} onKeyDown={onKeyDown}>
            {items.map((item) => (
              <button
                key={item.id}
                type="button"
                role={item.checked === undefined ? 'menuitem' : item.many ? 'menuitemcheckbox' : 'menuitemradio'}
                aria-checked={item.checked}
                tabIndex={-1}
                onClick={() => {
                  if (!item.many) close();
                  item.onSelect();
                }}
                className="flex w-full items-center gap-2 rounded-md px-2 py-1.5 text-left text-sm whitespace-nowrap text-ink hover:bg-raised focus:bg-raised focus:outline-none"
              >
                {item.checked !== undefined && (
                  <Check size={14} aria-hidden className={item.checked ? 'text-accent' : 'invisible'} />
                )}
                <span className="grow">{typeof item.label === 'string' ? legible(item.label) : item.label}</span>
                {item.detail && (
                  <span className="text-xs text-faint">
                    {typeof item.detail === 'string' ? legible(item.detail) : item.detail}
                  </span>
                )}
              </button>
            ))}
          </div>
        </div>
      )}
    </div>
  );
}

function focusItem(list: HTMLElement | null, index: number): void {
  const all = list?.querySelectorAll('button') ?? [];
  all[Math.max(0, Math.min(index, all.length - 1))]?.focus();
}
