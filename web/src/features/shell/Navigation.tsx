import { Link } from '@tanstack/react-router';
import clsx from 'clsx';
import { PanelLeftClose, PanelLeftOpen, SquareTerminal } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { useViewer } from '../../nouns/user/useViewer';
import { IconButton } from '../../ui/Button';
import { formatCount } from '../../ui/Chip';
import { Logo } from '../../ui/Logo';
import { groups } from './pages';

const storageKey = 'secmon.navigation';

const item =
  'flex h-8 items-center gap-2.5 rounded-md px-2.5 text-sm font-medium text-muted hover:bg-raised hover:text-ink';

export function Navigation({ newAlerts }: { newAlerts: number | undefined }) {
  const { mayAdminister } = useViewer();
  const [narrow, setNarrow] = useState(() => localStorage.getItem(storageKey) === 'narrow' || window.innerWidth < 900);
  const toggle = () => {
    setNarrow(!narrow);
    localStorage.setItem(storageKey, narrow ? 'wide' : 'narrow');
  };
  return (
    <nav
      aria-label="Main"
      className={clsx('flex shrink-0 flex-col border-r border-line bg-canvas p-2', narrow ? 'w-13' : 'w-48')}
    >
      <div className={clsx('mb-3 flex h-8 items-center gap-2', !narrow && 'pl-1.5')}>
        <Logo size={24} />
        {!narrow && <span className="truncate text-sm font-semibold tracking-tight">Security Monitor</span>}
      </div>
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
                      className={item}
                      activeProps={{ className: 'bg-accent-soft !text-ink' }}
                      title={`${label} (g ${key})`}
                    >
                      <Icon size={16} aria-hidden className="shrink-0" />
                      <Label narrow={narrow}>{label}</Label>
                      {to === '/alerts' && !!newAlerts && !narrow && (
                        <span className="ml-auto rounded bg-accent px-1.5 text-2xs font-semibold text-accent-ink tabular-nums">
                          {formatCount(newAlerts)}
                          <span className="sr-only"> new</span>
                        </span>
                      )}
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
        <li>
          <IconButton
            icon={narrow ? PanelLeftOpen : PanelLeftClose}
            label={narrow ? 'Widen the navigation' : 'Narrow the navigation'}
            onClick={toggle}
            className="ml-0.5 size-8"
          />
        </li>
      </ul>
    </nav>
  );
}

function Label({ narrow, children }: { narrow: boolean; children: ReactNode }) {
  return <span className={narrow ? 'sr-only' : 'truncate'}>{children}</span>;
}
