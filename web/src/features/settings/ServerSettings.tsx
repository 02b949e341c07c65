import { useQuery } from '@apollo/client/react';
import { type FormEvent, useEffect, useState } from 'react';
import { type LoginMethods, loginMethods } from '../../api/session';
import type { Audience } from '../../gql/schema';
import { DurationField } from '../../nouns/time/DurationField';
import { formatDuration, secondsOf } from '../../nouns/time/duration';
import { Time } from '../../nouns/time/Time';
import { Banner } from '../../ui/Banner';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Facts } from '../../ui/Facts';
import { Choice } from '../../ui/Field';
import { notify } from '../../ui/notices';
import { ErrorState, Skeleton, SkeletonRows } from '../../ui/States';
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
      <Card title="Logins">
        <Logins />
      </Card>
      <Card title="Journal">
        <Facts
          rows={[
            ['Entries', journal.entries.toLocaleString('en')],
            ['Size', `${(journal.bytes / 1_048_576).toFixed(1)} MiB`],
            ['Oldest', journal.oldest && <Time at={journal.oldest} />],
            ['Kept for', secondsOf(journal.maxAge) === 0 ? 'Ever' : formatDuration(journal.maxAge)],
            ['Means', journal.note],
          ]}
        />
      </Card>
    </div>
  );
}

/** How people come in; the configuration decides it. */
function Logins() {
  const [methods, setMethods] = useState<LoginMethods | null>(null);
  useEffect(() => {
    let gone = false;
    void loginMethods().then((told) => {
      if (!gone) setMethods(told);
    });
    return () => {
      gone = true;
    };
  }, []);
  if (!methods) return <Skeleton className="h-16" />;
  return (
    <>
      <Facts
        rows={[
          ['Single sign-on', methods.oidc ? `By ${methods.oidc.name}, with OpenID Connect` : 'Not set up'],
          ['Passwords', methods.password ? 'Accepted, with a second factor where a person has one' : 'Refused'],
        ]}
      />
      <p className="mt-3 text-xs text-muted">
        Both are of the configuration: <code className="font-mono">--oidc-issuer</code> and its kin set up single
        sign-on, <code className="font-mono">--no-password-login</code> refuses passwords (docs/administration.md).
      </p>
    </>
  );
}

function Form({ settings, onChanged }: { settings: Settings; onChanged(): void }) {
  const change = useChange();
  const [introspectionFor, setIntrospection] = useState(settings.introspectionFor);
  const [playgroundFor, setPlayground] = useState(settings.playgroundFor);
  const [sessionLifetime, setLifetime] = useState(settings.sessionLifetime);
  const send = async (event: FormEvent) => {
    event.preventDefault();
    const now = { introspectionFor, playgroundFor, sessionLifetime };
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
        <DurationField
          label="A login lasts"
          hint="Without being used"
          required
          value={sessionLifetime}
          disabled={disabled}
          onChange={setLifetime}
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
