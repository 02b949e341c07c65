// How the live connection does, for the shell to show.
import { useSyncExternalStore } from 'react';

/** idle: nothing is subscribed. offline: the browser itself says there is no network. */
export type ConnectionState = 'idle' | 'connecting' | 'live' | 'reconnecting' | 'offline';

export interface Connection {
  state: ConnectionState;
  /** When it was lost, in milliseconds since 1970; 0 while it holds. */
  lostAt: number;
}

let socket: ConnectionState = 'idle';
let connection: Connection = { state: 'idle', lostAt: 0 };
const listeners = new Set<() => void>();

export function reportSocket(state: Exclude<ConnectionState, 'offline'>): void {
  // A first attempt that fails is a lost connection too.
  socket = state === 'connecting' && socket === 'reconnecting' ? 'reconnecting' : state;
  update();
}

function update(): void {
  const state = navigator.onLine || socket === 'idle' ? socket : 'offline';
  const lost = state === 'reconnecting' || state === 'offline';
  if (state === connection.state) return;
  connection = { state, lostAt: lost ? connection.lostAt || Date.now() : 0 };
  for (const listener of listeners) listener();
}

window.addEventListener('online', update);
window.addEventListener('offline', update);

export function useConnection(): Connection {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => connection,
  );
}
