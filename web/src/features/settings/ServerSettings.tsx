import { useQuery } from '@apollo/client/react';
import { type FormEvent, useState } from 'react';
import type { Audience } from '../../gql/schema';
import { Time } from '../../nouns/time/Time';
import { Banner } from '../../ui/Banner';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Facts } from '../../ui/Facts';
import { Choice, TextField } from '../../ui/Field';
import { notify } from '../../ui/notices';
import { ErrorState, SkeletonRows } from '../../ui/States';
import { useChange } from '../../ui/useChange';
import { ServerSettingsDocument, type ServerSettingsQuery, SettingsUpdateDocument } from './Server.generated';

type Settings = ServerSettingsQuery['settings'];
const audiences: readonly (readonly [Audience, string])[] = [
  ['VIEWER', 'Everybody who is logged in'],
  ['ANALYST', 'Analysts and administrators'],
  ['ADMIN', 'Administrators'],
  ['NOBODY', 'Nobody'],
];

export function ServerSettings() {
  const { data, error, refetch } = useQuery(ServerSettingsDocument);
  const reload = () => void refetch().catch(() => undefined);
  if (error && !data) return <ErrorState title="The settings cannot be loaded" error={error} onRetry={reload} />;
  if (!data) return <SkeletonRows rows={6} />;
  const { journalRetention: journal } = data.settings;
  return (
    <div className="space-y-4">
      {data.settings.pinned && (
        <Banner tone="info" live={false} className="rounded-lg">
          The configuration of the server is pinned: it is changed there, not here.
        </Banner>
      )}
      <Card title="Server">
        <Form key={data.settings.version} settings={data.settings} onChanged={reload} />
      </Card>
      <Card title="Journal">
        <Facts
          rows={[
            ['Entries', journal.entries.toLocaleString('en')],
            ['Size', `${(journal.bytes / 1_048_576).toFixed(1)} MiB`],
            ['Oldest', journal.oldest && <Time at={journal.oldest} />],
            ['Kept for', journal.maxAge],
            ['Means', journal.note],
          ]}
        />
      </Card>
    </div>
  );
}

function Form({ settings, onChanged }: { settings: Settings; onChanged(): void }) {
  const change = useChange();
  const [introspectionFor, setIntrospection] = useState(settings.introspectionFor);
  const [playgroundFor, setPlayground] = useState(settings.playgroundFor);
  const [sessionLifetime, setLifetime] = useState(settings.sessionLifetime);
  const [eventRetention, setRetention] = useState(settings.eventRetention);
  const send = async (event: FormEvent) => {
    event.preventDefault();
    const now = { introspectionFor, playgroundFor, sessionLifetime, eventRetention };
    // Only what was changed: the rest stays with the configuration.
    const changed = Object.fromEntries(
      Object.entries(now).filter(([name, value]) => value !== settings[name as keyof typeof now]),
    );
    if (await change(SettingsUpdateDocument, { input: { expectedVersion: settings.version, ...changed } })) {
      notify('info', 'Saved. Every replica follows within a second.');
    }
    onChanged();
  };
  const disabled = settings.pinned;
  return (
    <form onSubmit={send} className="space-y-3">
      <div className="grid gap-3 sm:grid-cols-2">
        <Choice
          label="The playground is for"
          value={playgroundFor}
          options={audiences}
          disabled={disabled}
          onChange={(value) => setPlayground(value as Audience)}
        />
        <Choice
          label="The schema is readable for"
          value={introspectionFor}
          options={audiences}
          disabled={disabled}
          onChange={(value) => setIntrospection(value as Audience)}
        />
        <TextField
          label="A login lasts"
          hint="ISO 8601, for example P7D"
          value={sessionLifetime}
          disabled={disabled}
          onChange={(e) => setLifetime(e.target.value)}
        />
        <TextField
          label="Events are kept for"
          hint="Whole days, for example P90D"
          value={eventRetention}
          disabled={disabled}
          onChange={(e) => setRetention(e.target.value)}
        />
      </div>
      <Button type="submit" look="primary" disabled={disabled}>
        Save
      </Button>
      {settings.overridden.length > 0 && (
        <p className="text-xs text-muted">Changed over the configuration: {settings.overridden.join(', ')}.</p>
      )}
    </form>
  );
}
