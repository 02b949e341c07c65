// The own account, and for administrators people and the server.
import { getRouteApi } from '@tanstack/react-router';
import { useViewer } from '../../nouns/user/useViewer';
import { Tabs } from '../../ui/Tabs';
import { Account } from './Account';
import { Groupings } from './Groupings';
import { People } from './People';
import { Placeholders } from './Placeholders';
import { Retention } from './Retention';
import { ServerSettings } from './ServerSettings';

const route = getRouteApi('/shell/settings');

export function SettingsPage() {
  const { section = 'account' } = route.useSearch();
  const navigate = route.useNavigate();
  const { mayAdminister } = useViewer();
  const tabs = [
    { id: 'account' as const, label: 'Account' },
    ...(mayAdminister
      ? [
          { id: 'people' as const, label: 'People' },
          { id: 'server' as const, label: 'Server' },
          { id: 'retention' as const, label: 'Retention' },
          { id: 'groupings' as const, label: 'Groupings' },
          { id: 'placeholders' as const, label: 'Placeholders' },
        ]
      : []),
  ];
  const shown = tabs.some((tab) => tab.id === section) ? section : 'account';
  return (
    <>
      <h1 className="sr-only">Settings</h1>
      <Tabs
        label="Settings"
        tabs={tabs}
        current={shown}
        onChange={(next) => void navigate({ search: next === 'account' ? {} : { section: next } })}
      >
        <div className="mx-auto max-w-4xl">
          {shown === 'account' && <Account />}
          {shown === 'people' && <People />}
          {shown === 'server' && <ServerSettings />}
          {shown === 'retention' && <Retention />}
          {shown === 'groupings' && <Groupings />}
          {shown === 'placeholders' && <Placeholders />}
        </div>
      </Tabs>
    </>
  );
}
