// Whether the screens follow what happens or stand still to be read.
import { useSyncExternalStore } from 'react';

let paused = false;
const listeners = new Set<() => void>();

export function setPaused(next: boolean): void {
  if (paused === next) return;
  paused = next;
  for (const listener of listeners) listener();
}

export function isPaused(): boolean {
  return paused;
}

export function usePaused(): boolean {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, isPaused);
}
