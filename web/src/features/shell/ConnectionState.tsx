import clsx from 'clsx';
import { type Connection, useConnection } from '../../api/connection';
import { usePaused } from '../../live/pause';

const looks: Record<Connection['state'], { label: string; dot: string }> = {
  idle: { label: 'Connecting', dot: 'bg-faint' },
  connecting: { label: 'Connecting', dot: 'bg-faint' },
  live: { label: 'Live', dot: 'bg-good' },
  reconnecting: { label: 'Reconnecting', dot: 'bg-warn' },
  offline: { label: 'Offline', dot: 'bg-critical' },
};

export function ConnectionState() {
  const { state } = useConnection();
  const paused = usePaused();
  const { label, dot } = looks[state];
  const shown = state === 'live' && paused ? 'Paused' : label;
  return (
    <span role="status" aria-label={`Connection: ${shown}`} className="flex items-center gap-1.5 text-xs text-muted">
      <span aria-hidden className={clsx('size-2 rounded-full', shown === 'Paused' ? 'bg-warn' : dot)} />
      {/* On a phone only what is not as it should be is said; the dot is for the rest. */}
      <span className={shown === 'Live' ? 'max-sm:sr-only' : undefined}>{shown}</span>
    </span>
  );
}
