import { getRouteApi } from '@tanstack/react-router';
import { type FormEvent, useId, useState } from 'react';
import { login } from '../../api/session';
import { Banner } from '../../ui/Banner';
import { Button } from '../../ui/Button';
import { Logo } from '../../ui/Logo';

const route = getRouteApi('/login');

/** Only addresses of this site: a link must not lead elsewhere through the login. */
export function safeReturn(to: string | undefined): string {
  return to && /^\/(?![/\\])/.test(to) && !to.startsWith('/login') ? to : '/alerts';
}

export function LoginPage() {
  const search: { to?: string } = route.useSearch();
  const navigate = route.useNavigate();
  const [problem, setProblem] = useState<string | null>(null);
  const [codeAsked, setCodeAsked] = useState(false);
  const [busy, setBusy] = useState(false);
  const id = useId();

  // The playground is a page of its own, not one of the router's.
  const go = (to: string) => {
    if (to.startsWith('/playground')) location.replace(to);
    else void navigate({ href: to, replace: true });
  };

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    setBusy(true);
    setProblem(null);
    const code = String(form.get('code') ?? '').trim();
    const refused = await login(String(form.get('name')).trim(), String(form.get('password')), code);
    setBusy(false);
    if (!refused) {
      go(safeReturn(search.to));
    } else if (refused.codeNeeded) {
      setCodeAsked(true);
    } else {
      setProblem(refused.message);
    }
  };

  return (
    <main className="flex min-h-full items-center justify-center p-6">
      <div className="w-full max-w-sm">
        <div className="mb-6 flex items-center gap-3">
          <Logo size={36} />
          <h1 className="text-xl font-semibold tracking-tight">Security Monitor</h1>
        </div>
        <form onSubmit={submit} className="space-y-4 rounded-xl border border-line bg-surface p-6">
          {problem && (
            <Banner tone="error" className="rounded-lg">
              {problem}
            </Banner>
          )}
          <div>
            <label htmlFor={`${id}-name`} className="mb-1.5 block text-xs font-medium">
              Name
            </label>
            <input
              id={`${id}-name`}
              name="name"
              required
              autoComplete="username"
              autoCapitalize="none"
              spellCheck={false}
              // biome-ignore lint/a11y/noAutofocus: the page is this form
              autoFocus
              className="h-9 w-full rounded-lg border border-line-strong bg-surface px-3"
            />
          </div>
          <div>
            <label htmlFor={`${id}-password`} className="mb-1.5 block text-xs font-medium">
              Password
            </label>
            <input
              id={`${id}-password`}
              name="password"
              type="password"
              required
              autoComplete="current-password"
              className="h-9 w-full rounded-lg border border-line-strong bg-surface px-3"
            />
          </div>
          {codeAsked && (
            <div>
              <label htmlFor={`${id}-code`} className="mb-1.5 block text-xs font-medium">
                Code of your authenticator app, or a recovery code
              </label>
              <input
                id={`${id}-code`}
                name="code"
                required
                autoComplete="one-time-code"
                autoCapitalize="none"
                spellCheck={false}
                // biome-ignore lint/a11y/noAutofocus: it appeared because it is what is missing
                autoFocus
                className="h-9 w-full rounded-lg border border-line-strong bg-surface px-3 font-mono"
              />
            </div>
          )}
          <Button type="submit" look="primary" disabled={busy} className="h-9 w-full justify-center text-sm">
            {busy ? 'Logging in…' : 'Log in'}
          </Button>
        </form>
        <p className="mt-4 text-xs text-muted">
          First time? The server printed the password of <code className="font-mono">admin</code> when it started. Lost
          it? Run <code className="font-mono">secmon user password admin</code>.
        </p>
      </div>
    </main>
  );
}
