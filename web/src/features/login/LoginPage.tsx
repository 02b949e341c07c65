import { getRouteApi } from '@tanstack/react-router';
import { type FormEvent, useCallback, useEffect, useId, useRef, useState } from 'react';
import { adoptSession, type LoginMethods, login, loginMethods } from '../../api/session';
import { Banner } from '../../ui/Banner';
import { Button } from '../../ui/Button';
import { Logo } from '../../ui/Logo';

const route = getRouteApi('/login');

/** Only addresses of this site: a link must not lead elsewhere through the login. */
export function safeReturn(to: string | undefined): string {
  return to && /^\/(?![/\\])/.test(to) && !to.startsWith('/login') ? to : '/alerts';
}

export interface LoginSearch {
  to?: string;
  /** Why the provider's login led nowhere. */
  error?: string;
  /** The request of that, for the log. */
  request?: string;
  /** The provider's login has begun a session. */
  sso?: true;
}

export function readLoginSearch(raw: Record<string, unknown>): LoginSearch {
  const search: LoginSearch = {};
  if (typeof raw.to === 'string') search.to = raw.to;
  if (typeof raw.error === 'string') search.error = raw.error;
  if (typeof raw.request === 'string') search.request = raw.request;
  if (raw.sso) search.sso = true;
  return search;
}

const refusals: Record<string, string> = {
  OIDC_STATE: 'That login took too long, or was begun in another browser. Try again.',
  OIDC_DENIED: 'The provider did not let you in.',
  OIDC_ROLE: 'The provider knows you, but none of your groups has a role here. Ask an administrator.',
  OIDC_DISABLED: 'Your account here is shut out. Ask an administrator.',
  OIDC_NAME: 'Your name is taken here by another account, or is none that can be used. Ask an administrator.',
  OIDC_UNAVAILABLE: 'The provider does not answer. Try again in a moment.',
};

/** What to tell somebody whom the provider's login did not bring in. */
export function refusalOf(search: LoginSearch): string | null {
  if (!search.error) return null;
  const said = refusals[search.error] ?? 'The login by the provider failed.';
  return search.request ? `${said} (request ${search.request})` : said;
}

/** Null until the server has told. */
function useLoginMethods(): LoginMethods | null {
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
  return methods;
}

export function LoginPage() {
  const search: LoginSearch = route.useSearch();
  const navigate = route.useNavigate();
  const [problem, setProblem] = useState<string | null>(refusalOf(search));
  const methods = useLoginMethods();
  const [codeAsked, setCodeAsked] = useState(false);
  const [busy, setBusy] = useState(false);
  const id = useId();

  const go = useCallback(
    (to: string) => {
      // The playground is a page of its own, not one of the router's.
      if (to.startsWith('/playground')) location.replace(to);
      else void navigate({ href: to, replace: true });
    },
    [navigate],
  );

  const adopting = useRef(false); // the cookie rotates: it is asked for once
  useEffect(() => {
    if (!search.sso || adopting.current) return;
    adopting.current = true;
    void adoptSession().then((is) => {
      if (is) go(safeReturn(search.to));
      else setProblem('The login by the provider came to nothing. Try again.');
    });
  }, [go, search.sso, search.to]);

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
        {problem && (
          <Banner tone="error" className="mb-4 rounded-lg">
            {problem}
          </Banner>
        )}
        {methods?.oidc && (
          <a
            href={`/api/auth/oidc/start?${new URLSearchParams({ to: safeReturn(search.to) })}`}
            className="mb-4 flex h-9 w-full items-center justify-center rounded-lg border border-line-strong bg-surface text-sm font-medium hover:bg-hover focus-visible:outline-2"
          >
            Continue with {methods.oidc.name}
          </a>
        )}
        {methods?.password !== false && (
          <form onSubmit={submit} className="space-y-4 rounded-xl border border-line bg-surface p-6">
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
        )}
        {methods?.password !== false && (
          <p className="mt-4 text-xs text-muted">
            First time? The server printed the password of <code className="font-mono">admin</code> when it started.
            Lost it? Run <code className="font-mono">secmon user password admin</code>.
          </p>
        )}
      </div>
    </main>
  );
}
