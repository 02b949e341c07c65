import { Link } from '@tanstack/react-router';
import clsx from 'clsx';
import { Bell, BookOpen, type LucideIcon, PanelLeftClose, PanelLeftOpen, Radio, SquareTerminal } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { IconButton } from '../../ui/Button';
import { formatCount } from '../../ui/Chip';
import { Logo } from '../../ui/Logo';

const storageKey = 'secmon.navigation';

const pages: readonly { to: '/alerts' | '/events' | '/rules'; label: string; icon: LucideIcon; key: string }[] = [
  { to: '/alerts', label: 'Alerts', icon: Bell, key: 'g a' },
  { to: '/events', label: 'Events', icon: Radio, key: 'g e' },
  { to: '/rules', label: 'Rules', icon: BookOpen, key: 'g r' },
];

const item =
  'flex h-8 items-center gap-2.5 rounded-md px-2.5 text-sm font-medium text-muted hover:bg-raised hover:text-ink';

export function Navigation({ newAlerts }: { newAlerts: number | undefined }) {
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
      <ul className="space-y-0.5">
        {pages.map(({ to, label, icon: Icon, key }) => (
          <li key={to}>
            <Link
              to={to}
              className={item}
              activeProps={{ className: 'bg-accent-soft !text-ink' }}
              title={`${label} (${key})`}
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
      <ul className="mt-auto space-y-0.5">
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
