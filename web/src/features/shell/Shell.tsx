// What stands around every page: navigation, the live connection, who is logged in.
import { useQuery } from '@apollo/client/react';
import { Outlet, useNavigate, useRouterState } from '@tanstack/react-router';
import { useCallback, useEffect, useState } from 'react';
import { Pulse, usePulse } from '../../live/pulse';
import { useKeys } from '../../ui/keys';
import { Notices } from '../../ui/notices';
import { ConnectionBanner } from './ConnectionBanner';
import { FirstRun } from './FirstRun';
import { Help } from './Help';
import { Navigation, NavigationDrawer } from './Navigation';
import { OpenAlertsDocument } from './OpenAlerts.generated';
import { Palette } from './Palette';
import { pages, titleOf } from './pages';
import { TopBar } from './TopBar';

const countPeriod = 2_000;

export function Shell() {
  const navigate = useNavigate();
  const [help, setHelp] = useState(false);
  const [palette, setPalette] = useState(false);
  const [drawer, setDrawer] = useState(false);
  const closeDrawer = useCallback(() => setDrawer(false), []);
  const title = useRouterState({ select: (s) => titleOf(s.location.pathname) });
  const { data, refetch } = useQuery(OpenAlertsDocument);
  usePulse(() => void refetch().catch(() => undefined), countPeriod);
  const fresh = data?.alertCounts.total;

  useEffect(() => {
    const name = title ? `${title} · Security Monitor` : 'Security Monitor';
    document.title = fresh ? `(${fresh}) ${name}` : name;
  }, [fresh, title]);

  useKeys({
    ...Object.fromEntries(pages.map((page) => [`g ${page.key}`, () => void navigate({ to: page.to })])),
    'g p': () => location.assign('/playground'),
    '?': () => setHelp(true),
  });

  useEffect(() => {
    // Also while somebody types: with a modifier it is no text.
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== 'k' || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey)
        return;
      event.preventDefault();
      setPalette(true);
    };
    window.addEventListener('keydown', onKeyDown);
    return () => window.removeEventListener('keydown', onKeyDown);
  }, []);

  return (
    <div className="flex h-full print:block print:h-auto">
      <Pulse />
      <a
        href="#content"
        className="sr-only focus:not-sr-only focus:absolute focus:z-50 focus:m-2 focus:rounded-md focus:bg-surface focus:px-3 focus:py-2 focus:font-medium focus:shadow-pop print:hidden"
      >
        Skip to the content
      </a>
      <Navigation newAlerts={fresh} />
      <div className="flex min-w-0 grow flex-col print:block">
        <TopBar onHelp={() => setHelp(true)} onPalette={() => setPalette(true)} onNavigation={() => setDrawer(true)} />
        <ConnectionBanner />
        <main id="content" tabIndex={-1} className="flex min-h-0 grow flex-col focus:outline-none print:block">
          <FirstRun />
          <Outlet />
        </main>
      </div>
      {drawer && <NavigationDrawer newAlerts={fresh} onClose={closeDrawer} />}
      {help && <Help onClose={() => setHelp(false)} />}
      {palette && <Palette onClose={() => setPalette(false)} />}
      <Notices />
    </div>
  );
}
