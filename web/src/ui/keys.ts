// Keyboard shortcuts: single keys, and two-letter ones that begin with g. They
// rest while somebody types, in dialogs and in menus.
import { useEffect, useRef } from 'react';

/** One that gives false has let the key pass. */
export type KeyMap = Record<string, ((event: KeyboardEvent) => unknown) | undefined>;

const sequenceTime = 1_200;

function isTyping(event: KeyboardEvent): boolean {
  const target = event.target as HTMLElement | null;
  return !!target?.closest?.(
    'input:not([type="checkbox"], [type="radio"]), textarea, select, [contenteditable="true"], dialog, [role="menu"]',
  );
}

/** Keys are event.key ("j", "/", "?", "Escape") or "g a". Later components win over earlier ones. */
export function useKeys(map: KeyMap): void {
  const latest = useRef(map);
  latest.current = map;
  useEffect(() => {
    const handler = (key: string) => latest.current[key];
    handlers.push(handler);
    if (handlers.length === 1) window.addEventListener('keydown', onKeyDown);
    return () => {
      handlers.splice(handlers.indexOf(handler), 1);
      if (handlers.length === 0) window.removeEventListener('keydown', onKeyDown);
    };
  }, []);
}

const handlers: ((key: string) => KeyMap[string])[] = [];
let leaderAt = 0;

function onKeyDown(event: KeyboardEvent): void {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || isTyping(event)) return;
  const afterLeader = event.timeStamp - leaderAt < sequenceTime && leaderAt > 0;
  leaderAt = 0;
  if (event.key === 'g' && !afterLeader) {
    leaderAt = event.timeStamp;
    return;
  }
  // Enter and space press the button that has the focus.
  const pressing = event.key === 'Enter' && (event.target as HTMLElement).closest('button, a, [role="tab"]');
  if (pressing) return;
  const key = afterLeader ? `g ${event.key}` : event.key;
  for (let i = handlers.length - 1; i >= 0; i--) {
    const run = handlers[i]?.(key);
    if (!run || run(event) === false) continue;
    event.preventDefault();
    return;
  }
}
