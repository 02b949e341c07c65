// What stands around every page: navigation, the live connection, who is logged in.
import { useQuery } from '@apollo/client/react';
import { Outlet, useNavigate } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { Pulse, usePulse } from '../../live/pulse';
import { useKeys } from '../../ui/keys';
import { Notices } from '../../ui/notices';
import { ConnectionBanner } from './ConnectionBanner';
import { Help } from './Help';
import { Navigation } from './Navigation';
import { OpenAlertsDocument } from './OpenAlerts.generated';
import { Palette } from './Palette';
import { pages } from './pages';
import { TopBar } from './TopBar';

const countPeriod = 2_000;

export function Shell() {
  const navigate = useNavigate();
  const [help, setHelp] = useState(false);
  const [palette, setPalette] = useState(false);
  const { data, refetch } = useQuery(OpenAlertsDocument);
  usePulse(() => void refetch().catch(() => undefined), countPeriod);
  const fresh = data?.alertCounts.total;

  useEffect(() => {
    document.title = fresh ? `(${fresh}) Security Monitor` : 'Security Monitor';
  }, [fresh]);

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
    <div className="flex h-full">
      <Pulse />
      <a
        href="#content"
        className="sr-only focus:not-sr-only focus:absolute focus:z-50 focus:m-2 focus:rounded focus:bg-surface focus:p-2"
      >
        Skip to the content
      </a>
      <Navigation newAlerts={fresh} />
      <div className="flex min-w-0 grow flex-col">
        <TopBar onHelp={() => setHelp(true)} onPalette={() => setPalette(true)} />
        <ConnectionBanner />
        <main id="content" tabIndex={-1} className="flex min-h-0 grow flex-col focus:outline-none">
          <Outlet />
        </main>
      </div>
      {help && <Help onClose={() => setHelp(false)} />}
      {palette && <Palette onClose={() => setPalette(false)} />}
      <Notices />
    </div>
  );
}
