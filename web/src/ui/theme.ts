// Dark, light, or as the system has it.
import { useSyncExternalStore } from 'react';

export type Theme = 'system' | 'dark' | 'light';

const storageKey = 'secmon.theme';
const listeners = new Set<() => void>();

function current(): Theme {
  const kept = localStorage.getItem(storageKey);
  return kept === 'dark' || kept === 'light' ? kept : 'system';
}

export function setTheme(theme: Theme): void {
  if (theme === 'system') {
    localStorage.removeItem(storageKey);
    delete document.documentElement.dataset.theme;
  } else {
    localStorage.setItem(storageKey, theme);
    document.documentElement.dataset.theme = theme;
  }
  for (const listener of listeners) listener();
}

export function useTheme(): Theme {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, current);
}
