// One feed of all changed alerts, by id and version alone, for everything that
// only needs to know when to look again: counts, badges, open panels.
import { useCallback, useEffect, useRef } from 'react';
import { AlertPulseDocument, type AlertPulseSubscription } from './AlertPulse.generated';
import { createPace } from './pace';
import { useFeed } from './useFeed';

type PulseItem = AlertPulseSubscription['alertFeed']['entries'][number]['alert'];
type Listener = (changed: ReadonlyMap<string, number>) => void;

const listeners = new Set<Listener>();

/** Keeps the pulse beating; stands once in the shell. */
export function Pulse(): null {
  useFeed({
    document: AlertPulseDocument,
    variables: {},
    after: '',
    read: (data) => data.alertFeed.entries.map((e) => ({ change: e.change, item: e.alert })),
    idOf: (alert: PulseItem) => alert.id,
    onFlush: (entries) => {
      const changed = new Map(entries.map((e) => [e.item.id, e.item.version]));
      for (const listener of listeners) listener(changed);
    },
    onResync: () => {
      for (const listener of listeners) listener(new Map());
    },
  });
  return null;
}

/**
 * Calls `look` after alerts have changed, at once and then at most once in
 * `period` milliseconds. `concerns` may leave changes out.
 */
export function usePulse(
  look: () => void,
  period: number,
  concerns?: (changed: ReadonlyMap<string, number>) => boolean,
): void {
  const latest = useRef({ look, concerns });
  latest.current = { look, concerns };
  const beat = useCallback((changed: ReadonlyMap<string, number>) => latest.current.concerns?.(changed) ?? true, []);
  useEffect(() => {
    const pace = createPace(() => latest.current.look(), period);
    const listener: Listener = (changed) => {
      if (beat(changed)) pace.request();
    };
    listeners.add(listener);
    return () => {
      pace.stop();
      listeners.delete(listener);
    };
  }, [period, beat]);
}
