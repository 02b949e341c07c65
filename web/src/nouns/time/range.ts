// A stretch of time as it stands in the URL: the latest so long, or from one
// instant to another.

export interface TimeRange {
  /** "24h"; absent with from and to. */
  since?: string;
  /** RFC 3339. */
  from?: string;
  to?: string;
}

export const presets = [
  ['15m', 'Last 15 minutes'],
  ['1h', 'Last hour'],
  ['6h', 'Last 6 hours'],
  ['24h', 'Last 24 hours'],
  ['7d', 'Last 7 days'],
  ['30d', 'Last 30 days'],
] as const;

const units: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of "24h"; null for what is none. */
export function spanOf(text: string): number | null {
  const [, count, unit] = /^(\d{1,4})([mhd])$/.exec(text) ?? [];
  return count && unit ? Number(count) * (units[unit] ?? 0) || null : null;
}

/** Reads a range out of search parameters; what makes no sense is left out. */
export function readRange(raw: Record<string, unknown>): TimeRange {
  const instant = (value: unknown) =>
    typeof value === 'string' && !Number.isNaN(Date.parse(value)) ? new Date(value).toISOString() : undefined;
  const [from, to] = [instant(raw.from), instant(raw.to)];
  if (from && to && from < to) return { from, to };
  return typeof raw.since === 'string' && spanOf(raw.since) ? { since: raw.since } : {};
}

/** The instants of a range, as of now. */
export function boundsOf(range: TimeRange, otherwise: string, now: number): { from: number; to: number } {
  if (range.from && range.to) return { from: Date.parse(range.from), to: Date.parse(range.to) };
  return { from: now - (spanOf(range.since ?? otherwise) ?? 86_400_000), to: now };
}

const steps = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800,
];

/** The seconds of a bucket so that a stretch has at most so many of them. */
export function intervalFor(from: number, to: number, most = 72): number {
  const seconds = (to - from) / 1_000 / most;
  return steps.find((step) => step >= seconds) ?? Math.ceil(seconds / 604_800) * 604_800;
}
