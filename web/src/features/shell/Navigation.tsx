// The way to every page: beside the content, narrow or wide; on a phone in a
// drawer over it.
import { Link, useRouterState } from '@tanstack/react-router';
import clsx from 'clsx';
import { PanelLeftClose, PanelLeftOpen, SquareTerminal, X } from 'lucide-react';
import { type ReactNode, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { useViewer } from '../../nouns/user/useViewer';
import { IconButton } from '../../ui/Button';
import { formatCount } from '../../ui/Chip';
import { Logo } from '../../ui/Logo';
import { groups } from './pages';

const storageKey = 'secmon.navigation';
const item =
  'flex h-8 items-center gap-2.5 rounded-md px-2.5 text-sm font-medium text-muted hover:bg-raised hover:text-ink max-md:h-10';

interface NavigationProps {
  newAlerts: number | undefined;
}

export function Navigation({ newAlerts }: NavigationProps) {
  const [narrow, setNarrow] = useState(() => {
    const kept = localStorage.getItem(storageKey);
    return kept ? kept === 'narrow' : window.innerWidth < 1_024;
  });
  const toggle = () => {
    setNarrow(!narrow);
    localStorage.setItem(storageKey, narrow ? 'wide' : 'narrow');
  };
  return (
    <nav
      aria-label="Main"
      className={clsx(
        'flex shrink-0 flex-col border-r border-line bg-canvas p-2 max-md:hidden print:hidden',
        narrow ? 'w-13' : 'w-48',
      )}
    >
      <div className={clsx('mb-3 flex h-8 items-center gap-2', !narrow && 'pl-1.5')}>
        <Logo size={24} />
        {!narrow && <span className="truncate text-sm font-semibold tracking-tight">Security Monitor</span>}
      </div>
      <Pages newAlerts={newAlerts} narrow={narrow}>
        <li>
          <IconButton
            icon={narrow ? PanelLeftOpen : PanelLeftClose}
            label={narrow ? 'Widen the navigation' : 'Narrow the navigation'}
            onClick={toggle}
            className="ml-0.5 size-8"
          />
        </li>
      </Pages>
    </nav>
  );
}

/** The same over the content, until a page is chosen. */
export function NavigationDrawer({ newAlerts, onClose }: NavigationProps & { onClose(): void }) {
  const ref = useRef<HTMLDialogElement>(null);
  const path = useRouterState({ select: (s) => s.location.pathname });
  const opened = useRef(path);
  useLayoutEffect(() => {
    const dialog = ref.current;
    if (!dialog?.open) dialog?.showModal();
    return () => dialog?.close();
  }, []);
  useEffect(() => {
    if (path !== opened.current) onClose();
  }, [path, onClose]);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes it too
    <dialog
      ref={ref}
      aria-label="Navigation"
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        const { target } = event;
        // The page that one is on is chosen, too.
        if (target === ref.current || (target instanceof Element && target.closest('a'))) onClose();
      }}
      className="m-0 h-dvh max-h-none w-64 max-w-[85vw] border-r border-line bg-canvas p-0 text-ink shadow-pop"
    >
      <nav aria-label="Main" className="flex h-full flex-col p-2">
        <div className="mb-3 flex h-8 items-center gap-2 pl-1.5">
          <Logo size={24} />
          <span className="truncate text-sm font-semibold tracking-tight">Security Monitor</span>
          <IconButton icon={X} label="Close the navigation" className="ml-auto size-9" onClick={onClose} />
        </div>
        <Pages newAlerts={newAlerts} narrow={false} />
      </nav>
    </dialog>
  );
}

function Pages({ newAlerts, narrow, children }: NavigationProps & { narrow: boolean; children?: ReactNode }) {
  const { mayAdminister } = useViewer();
  return (
    <>
      <div className="min-h-0 grow overflow-y-auto">
        {groups.map((group) => (
          <div key={group.title} className="mb-3">
            {narrow ? (
              <hr className="mx-1.5 mb-2 border-line" />
            ) : (
              <p aria-hidden className="mb-1 px-2.5 text-2xs font-medium text-faint">
                {group.title}
              </p>
            )}
            <ul aria-label={group.title} className="space-y-0.5">
              {group.pages
                .filter((page) => !page.admin || mayAdminister)
                .map(({ to, label, icon: Icon, key }) => (
                  <li key={to}>
                    <Link
                      to={to}
                      className={clsx(item, 'relative')}
                      activeProps={{ className: 'bg-accent-soft !text-ink' }}
                      title={`${label} (g ${key})`}
                    >
                      <Icon size={16} aria-hidden className="shrink-0" />
                      <Label narrow={narrow}>{label}</Label>
                      {to === '/alerts' &&
                        !!newAlerts &&
                        (narrow ? (
                          <span className="absolute top-0.5 right-0.5 size-2 rounded-full bg-accent">
                            <span className="sr-only"> {formatCount(newAlerts)} new</span>
                          </span>
                        ) : (
                          <span className="ml-auto rounded bg-accent px-1.5 text-2xs font-semibold text-accent-ink tabular-nums">
                            {formatCount(newAlerts)}
                            <span className="sr-only"> new</span>
                          </span>
                        ))}
                    </Link>
                  </li>
                ))}
            </ul>
          </div>
        ))}
      </div>
      <ul className="mt-2 space-y-0.5">
        <li>
          <a href="/playground" className={item} title="GraphQL playground (g p)">
            <SquareTerminal size={16} aria-hidden className="shrink-0" />
            <Label narrow={narrow}>Playground</Label>
          </a>
        </li>
        {children}
      </ul>
    </>
  );
}

function Label({ narrow, children }: { narrow: boolean; children: ReactNode }) {
  return <span className={narrow ? 'sr-only' : 'truncate'}>{children}</span>;
}
