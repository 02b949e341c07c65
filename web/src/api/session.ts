// Who is logged in, kept in localStorage so that all tabs share it. The access
// token lasts 15 minutes; the refresh token is an HttpOnly cookie that no script
// sees. One refresh runs at a time over all tabs: the cookie rotates, and a
// second use of an old one would end the session.

import { print } from 'graphql';
import { fetchInTime } from './fetchInTime';
import { SessionLoginDocument, SessionLogoutDocument, SessionRefreshDocument } from './Session.generated';

export interface Session {
  accessToken: string;
  /** Milliseconds since 1970. */
  expiresAt: number;
}

/** refused: the server ended the session. unreachable: nobody could say. */
export type RefreshOutcome = 'refreshed' | 'refused' | 'unreachable';

export const endpoint = '/api/graphql';
const storageKey = 'secmon.session';
const lockName = 'secmon.session.refresh';
/** Tokens that end sooner than this are renewed before they are used. */
const freshFor = 60_000;

const listeners = new Set<() => void>();
let current: Session | null = load();
let refreshing: Promise<RefreshOutcome> | null = null;

function load(): Session | null {
  try {
    const kept = JSON.parse(localStorage.getItem(storageKey) ?? 'null');
    return typeof kept?.accessToken === 'string' && typeof kept.expiresAt === 'number' ? kept : null;
  } catch {
    return null;
  }
}

function changed(next: Session | null): void {
  if (current?.accessToken === next?.accessToken) return;
  current = next;
  for (const listener of listeners) listener();
}

window.addEventListener('storage', (event) => {
  if (event.key === storageKey || event.key === null) changed(load());
});

export function getSession(): Session | null {
  return current;
}

export function subscribeSession(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function setSession(next: Session | null): void {
  if (next) localStorage.setItem(storageKey, JSON.stringify(next));
  else localStorage.removeItem(storageKey);
  changed(next);
}

export function isExpiring(session: Session, now = Date.now()): boolean {
  return session.expiresAt - now < freshFor;
}

/** Gives a token that is good for a while yet, or the old one when the server cannot be reached. */
export async function freshToken(): Promise<string | null> {
  const held = current;
  if (held && isExpiring(held)) await refreshSession(held.accessToken);
  return current?.accessToken ?? null;
}

/** Gets a new access token unless somebody, in this tab or another, has replaced `stale` already. */
export function refreshSession(stale: string): Promise<RefreshOutcome> {
  refreshing ??= underLock(() => renew(stale)).finally(() => {
    refreshing = null;
  });
  return refreshing;
}

function underLock<T>(work: () => Promise<T>): Promise<T> {
  return navigator.locks ? navigator.locks.request(lockName, work) : work();
}

async function renew(stale: string): Promise<RefreshOutcome> {
  const kept = load();
  if (!kept) {
    changed(null);
    return 'refused';
  }
  if (kept.accessToken !== stale && !isExpiring(kept)) {
    changed(kept);
    return 'refreshed';
  }
  try {
    const { sessionRefresh } = await call<{ sessionRefresh: SessionAnswer }>(print(SessionRefreshDocument));
    if (accept(sessionRefresh)) return 'refreshed';
    setSession(null);
    return 'refused';
  } catch {
    return 'unreachable';
  }
}

interface SessionAnswer {
  accessToken: string | null;
  expiresAt: string | null;
  errors: { code: string; message: string }[];
}

function accept(answer: SessionAnswer): boolean {
  if (!answer.accessToken || !answer.expiresAt) return false;
  setSession({ accessToken: answer.accessToken, expiresAt: Date.parse(answer.expiresAt) });
  return true;
}

export interface LoginRefused {
  message: string;
  /** The password was right; the code of the authenticator app is missing. */
  codeNeeded: boolean;
}

/** Logs in. Gives null, or why not. */
export async function login(name: string, password: string, code = ''): Promise<LoginRefused | null> {
  try {
    const { sessionLogin } = await call<{ sessionLogin: SessionAnswer }>(print(SessionLoginDocument), {
      input: { name, password, code: code || null },
    });
    if (accept(sessionLogin)) return null;
    const message =
      sentence(sessionLogin.errors.map((e) => e.message).join('. ')) || 'The server gave no session and no reason.';
    return { message, codeNeeded: sessionLogin.errors.some((e) => e.code === 'TOTP_REQUIRED') };
  } catch (failure) {
    return { message: failure instanceof Error ? failure.message : String(failure), codeNeeded: false };
  }
}

/** Takes up the session that a provider's login has begun. Gives whether there is one. */
export async function adoptSession(): Promise<boolean> {
  return underLock(async () => {
    try {
      const { sessionRefresh } = await call<{ sessionRefresh: SessionAnswer }>(print(SessionRefreshDocument));
      return accept(sessionRefresh);
    } catch {
      return false;
    }
  });
}

/** The ways to log in that this server has. */
export interface LoginMethods {
  password: boolean;
  oidc: { name: string } | null;
}

/** Asks which ways to log in there are; passwords, where nobody answers. */
export async function loginMethods(): Promise<LoginMethods> {
  try {
    const told = await (await fetchInTime('/api/auth/methods')).json();
    const name = told?.oidc?.name;
    return { password: told?.password !== false, oidc: typeof name === 'string' ? { name } : null };
  } catch {
    return { password: true, oidc: null };
  }
}

/** Ends the session here and on the server; here also when the server cannot be reached. */
export async function logout(): Promise<void> {
  await call(print(SessionLogoutDocument)).catch(() => undefined);
  setSession(null);
}

function sentence(text: string): string {
  return text && `${text[0]?.toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;
}

async function call<T>(query: string, variables?: object): Promise<T> {
  let response: Response;
  try {
    response = await fetchInTime(endpoint, {
      method: 'POST',
      credentials: 'same-origin',
      headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json, application/json' },
      body: JSON.stringify({ query, variables }),
    });
  } catch {
    throw new Error('The server cannot be reached. Is it running, and is the network there?');
  }
  const body = await response.json().catch(() => null);
  if (body?.data && !body.errors?.length) return body.data as T;
  const first = body?.errors?.[0];
  const id = first?.extensions?.requestId ?? response.headers.get('x-request-id');
  const said = sentence(first?.message ?? `The server answered ${response.status} ${response.statusText}`.trim());
  throw new Error(id ? `${said} (request ${id})` : said);
}
