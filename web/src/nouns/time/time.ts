// Instants for people. They come as RFC 3339 in UTC, with microseconds.

const units: readonly [limit: number, per: number, unit: string][] = [
  [60, 1, 's'],
  [3_600, 60, 'm'],
  [86_400, 3_600, 'h'],
  [86_400 * 14, 86_400, 'd'],
  [86_400 * 365, 86_400 * 7, 'w'],
  [Number.POSITIVE_INFINITY, 86_400 * 365, 'y'],
];

/** A span in its largest unit: 12s, 5m, 3h, 2d, 6w, 1y. Spans below zero count as zero. */
export function formatSpan(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  const [, per, unit] = units.find(([limit]) => seconds < limit) ?? [0, 1, 's'];
  return `${Math.floor(seconds / per)}${unit}`;
}

/** How long ago: "now" for less than 5 seconds and for clocks that run ahead, else "5m ago". */
export function formatAgo(instant: string, now: number): string {
  const ms = now - Date.parse(instant);
  return ms < 5_000 ? 'now' : `${formatSpan(ms)} ago`;
}

const local = new Intl.DateTimeFormat('en-GB', {
  day: '2-digit',
  month: 'short',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  timeZoneName: 'shortOffset',
});

/** Local time with its offset, and UTC with all digits: for hovering. */
export function formatBoth(instant: string): string {
  return `${local.format(new Date(instant))}\n${instant.replace('T', ' ').replace('Z', '')} UTC`;
}

const clock = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
});
const day = new Intl.DateTimeFormat('en-GB', { day: '2-digit', month: 'short' });

/** Local time of day with milliseconds, with the date when that is not today. */
export function formatClock(instant: string, now: number): string {
  const at = new Date(instant);
  const today = at.toDateString() === new Date(now).toDateString();
  return today ? clock.format(at) : `${day.format(at)} ${clock.format(at).slice(0, 8)}`;
}
