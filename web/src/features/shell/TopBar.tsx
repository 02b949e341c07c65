import { useApolloClient } from '@apollo/client/react';
import { useRouterState } from '@tanstack/react-router';
import { CircleHelp, Menu as MenuIcon, Pause, Play, Search, UserRound } from 'lucide-react';
import { logout } from '../../api/session';
import { setPaused, usePaused } from '../../live/pause';
import { useViewer } from '../../nouns/user/useViewer';
import { Button, IconButton } from '../../ui/Button';
import { legible } from '../../ui/legible';
import { Menu } from '../../ui/Menu';
import { setTheme, type Theme, useTheme } from '../../ui/theme';
import { ConnectionState } from './ConnectionState';
import { pageOf, titleOf } from './pages';

const findKey = /Mac|iPhone|iPad/.test(navigator.platform) ? '⌘K' : 'Ctrl K';

const themes: readonly [Theme, string][] = [
  ['system', 'Theme of the system'],
  ['light', 'Light theme'],
  ['dark', 'Dark theme'],
];
const roles = { VIEWER: 'Viewer', ANALYST: 'Analyst', ADMIN: 'Administrator' };

interface TopBarProps {
  onHelp(): void;
  onPalette(): void;
  onNavigation(): void;
}

export function TopBar({ onHelp, onPalette, onNavigation }: TopBarProps) {
  const path = useRouterState({ select: (s) => s.location.pathname });
  const page = pageOf(path);
  return (
    <header
      data-chrome
      className="flex h-12 shrink-0 items-center gap-2 border-b border-line bg-canvas px-3 print:hidden"
    >
      <IconButton
        icon={MenuIcon}
        label="Open the navigation"
        aria-haspopup="dialog"
        className="-ml-1.5 size-9 md:hidden"
        onClick={onNavigation}
      />
      <p aria-hidden className="min-w-0 truncate text-base font-semibold tracking-tight">
        {titleOf(path) ?? 'Security Monitor'}
      </p>
      <div className="ml-auto flex items-center gap-2 max-sm:gap-1">
        <ConnectionState />
        {page?.live && <LiveSwitch />}
        <Button look="ghost" icon={Search} hint={findKey} onClick={onPalette}>
          <span className="max-sm:sr-only">Find</span>
        </Button>
        <IconButton icon={CircleHelp} label="Keyboard shortcuts (?)" onClick={onHelp} />
        <UserMenu />
      </div>
    </header>
  );
}

function LiveSwitch() {
  const paused = usePaused();
  return (
    <Button
      look={paused ? 'primary' : 'secondary'}
      icon={paused ? Play : Pause}
      aria-pressed={paused}
      onClick={() => setPaused(!paused)}
    >
      {paused ? 'Go live' : 'Pause'}
    </Button>
  );
}

function UserMenu() {
  const { viewer } = useViewer();
  const theme = useTheme();
  const client = useApolloClient();
  const name = viewer?.user?.displayName ?? 'Account';
  return (
    <Menu
      label="Account"
      align="right"
      trigger={(properties) => (
        <Button look="ghost" icon={UserRound} {...properties}>
          <span className="max-sm:sr-only">{legible(name)}</span>
        </Button>
      )}
      header={
        viewer && (
          <div className="mb-1 border-b border-line px-2 pt-1 pb-2 text-xs">
            <div className="font-semibold">{legible(name)}</div>
            <div className="text-muted">
              {roles[viewer.role]} · version {viewer.serverVersion}
            </div>
          </div>
        )
      }
      items={[
        ...themes.map(([id, label]) => ({ id, label, checked: theme === id, onSelect: () => setTheme(id) })),
        {
          id: 'logout',
          label: 'Log out',
          onSelect: () => void logout().then(() => client.clearStore()),
        },
      ]}
    />
  );
}
