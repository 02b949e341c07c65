// A modal on the browser's own <dialog>: it keeps the focus, closes on Escape
// and gives the focus back.
import clsx from 'clsx';
import { X } from 'lucide-react';
import { type ReactNode, useId, useLayoutEffect, useRef } from 'react';
import { IconButton } from './Button';
import { legible } from './legible';

interface DialogProps {
  title: string;
  onClose(): void;
  /** It holds text alone: then it takes the focus itself, so that keys scroll it. */
  text?: boolean;
  /** It has two columns where there is room. */
  wide?: boolean;
  children: ReactNode;
}

export function Dialog({ title, onClose, text, wide, children }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  // A layout effect: it is undone while the dialog is still in the page, so that
  // closing gives the focus back to where it was.
  useLayoutEffect(() => {
    const dialog = ref.current;
    if (!dialog?.open) dialog?.showModal();
    // The first field, rather than the button that closes.
    dialog?.querySelector<HTMLElement>('input, textarea, select')?.focus();
    return () => dialog?.close();
  }, []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes it too
    <dialog
      ref={ref}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => event.target === ref.current && onClose()}
      className={clsx(
        'm-auto rounded-xl border border-line bg-surface p-0 text-ink shadow-pop',
        wide ? 'w-[min(64rem,calc(100vw-2rem))]' : 'w-[min(32rem,calc(100vw-2rem))]',
      )}
    >
      <div className="flex items-center justify-between border-b border-line py-2 pr-2 pl-4">
        <h2 id={id} className="text-base font-semibold">
          {legible(title)}
        </h2>
        <IconButton icon={X} label="Close" onClick={onClose} />
      </div>
      <div
        {...(text && { role: 'region', 'aria-labelledby': id, tabIndex: 0 })}
        className="max-h-[75vh] overflow-y-auto p-4"
      >
        {children}
      </div>
    </dialog>
  );
}
