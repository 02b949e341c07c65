// A second factor: a code of an authenticator app at each login.
import { type FormEvent, useState } from 'react';
import { Banner } from '../../ui/Banner';
import { Button } from '../../ui/Button';
import { Command } from '../../ui/Command';
import { TextField } from '../../ui/Field';
import { notify } from '../../ui/notices';
import { QrCode } from '../../ui/QrCode';
import { useChange } from '../../ui/useChange';
import { TotpConfirmDocument, TotpEnrolDocument, TotpRemoveDocument } from './Account.generated';

export function SecondFactor({ on, onChanged }: { on: boolean; onChanged(): void }) {
  const change = useChange();
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  const [enrolled, setEnrolled] = useState<{ secret: string; uri: string } | null>(null);
  const [recovery, setRecovery] = useState<readonly string[] | null>(null);

  const begin = async (event: FormEvent) => {
    event.preventDefault();
    if (on) {
      if (!(await change(TotpRemoveDocument, { input: { password } }))) return;
      notify('info', 'The second factor is removed.');
      onChanged();
    } else {
      const done = await change(TotpEnrolDocument, { input: { password } });
      if (!done?.secret || !done.uri) return;
      setEnrolled({ secret: done.secret, uri: done.uri });
    }
    setPassword('');
  };
  const confirm = async (event: FormEvent) => {
    event.preventDefault();
    const done = await change(TotpConfirmDocument, { input: { code: code.trim() } });
    if (!done) return;
    setRecovery(done.recoveryCodes ?? []);
    setEnrolled(null);
    setCode('');
    onChanged();
  };

  if (recovery) {
    return (
      <div className="space-y-3">
        <Banner tone="warn">
          Keep these codes: each lets you in once when the app is lost. They are not shown again.
        </Banner>
        <Command text={recovery.join('\n')} />
        <Button onClick={() => setRecovery(null)}>I have kept them</Button>
      </div>
    );
  }
  if (enrolled) {
    return (
      <form onSubmit={confirm} className="space-y-3">
        <p>Scan this with your authenticator app.</p>
        <QrCode text={enrolled.uri} label="QR code of the key, for the authenticator app" />
        <p>
          Or type the key in, or{' '}
          <a href={enrolled.uri} className="text-accent underline underline-offset-2">
            open the app
          </a>{' '}
          on this device.
        </p>
        <Command text={enrolled.secret} />
        <TextField
          label="Code that the app shows"
          inputMode="numeric"
          autoComplete="one-time-code"
          required
          value={code}
          onChange={(e) => setCode(e.target.value)}
        />
        <Button type="submit" look="primary">
          Confirm
        </Button>
      </form>
    );
  }
  return (
    <form onSubmit={begin} className="space-y-3">
      <p className="text-muted">
        {on ? 'A code of your app is asked for at each login.' : 'The password alone lets you in.'}
      </p>
      <TextField
        label="Password"
        type="password"
        autoComplete="current-password"
        required
        value={password}
        onChange={(e) => setPassword(e.target.value)}
      />
      <Button type="submit" look={on ? 'danger' : 'primary'} disabled={!password}>
        {on ? 'Remove the second factor' : 'Set up a second factor'}
      </Button>
    </form>
  );
}
