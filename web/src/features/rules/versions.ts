// Which versions of a rule are compared, as it stands in the URL.

export interface Version {
  version: number;
  source: string;
  createdAt: string;
  createdBy?: { name: string } | null;
}

/** In place of a version's number: the text in the editor. */
export const editor = 'editor';

/** Numbers of versions, or `editor`. */
export interface Compared {
  from: string;
  to: string;
}

export interface EditorSearch {
  /** Absent: the test. */
  tab?: 'live' | 'backtest' | 'versions';
  from?: string;
  to?: string;
  /** The backtest that is shown. */
  job?: string;
}

/** Reads what stands in the URL; what makes no sense is left out. */
export function readEditorSearch(raw: Record<string, unknown>): EditorSearch {
  if (raw.tab === 'live') return { tab: 'live' };
  if (raw.tab === 'backtest')
    return typeof raw.job === 'string' && raw.job ? { tab: 'backtest', job: raw.job } : { tab: 'backtest' };
  if (raw.tab !== 'versions') return {};
  const side = (value: unknown) =>
    /^[1-9]\d{0,8}$/.test(String(value)) || value === editor ? String(value) : undefined;
  const [from, to] = [side(raw.from), side(raw.to)];
  return from && to ? { tab: 'versions', from, to } : { tab: 'versions' };
}

export function latestOf(versions: readonly Version[]): number {
  return Math.max(0, ...versions.map(({ version }) => version));
}

/** The text of one side; null where there is no such version. */
export function sourceOf(side: string, now: string, versions: readonly Version[]): string | null {
  if (side === editor) return now;
  return versions.find(({ version }) => String(version) === side)?.source ?? null;
}
