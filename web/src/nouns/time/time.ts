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

/** How long ago, or how long until then: "now" for less than 5 seconds either way, else "5m ago" or "in 5m". */
export function formatAgo(instant: string, now: number): string {
  const ms = now - Date.parse(instant);
  if (Math.abs(ms) < 5_000) return 'now';
  return ms > 0 ? `${formatSpan(ms)} ago` : `in ${formatSpan(-ms)}`;
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
const date = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });

/** The local day, in an order that nobody mistakes: 4 Dec 2026. */
export function formatDate(instant: string): string {
  return date.format(new Date(instant));
}

/** Local time of day with milliseconds, with the date when that is not today, and the year when it is another. */
export function formatClock(instant: string, now: number): string {
  const at = new Date(instant);
  const today = new Date(now);
  if (at.toDateString() === today.toDateString()) return clock.format(at);
  const on = at.getFullYear() === today.getFullYear() ? day.format(at) : date.format(at);
  return `${on} ${clock.format(at).slice(0, 8)}`;
}

const utcDay = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' });

/** The day in UTC, as events are kept by: 4 Dec 2026. */
export function formatUTCDay(instant: string | number): string {
  return utcDay.format(new Date(instant));
}
