// The figures of sources, for people.

/** "12.3 /s"; below a record a second by the minute or hour, so that little is not told as none. */
export function rateText(perSecond: number): string {
  if (perSecond <= 0) return 'none';
  if (perSecond >= 1) return `${short(perSecond)} /s`;
  return perSecond >= 1 / 60 ? `${short(perSecond * 60)} /min` : `${short(perSecond * 3_600)} /h`;
}

/** "0.4 %" of 0.004; what is not quite none is told. */
export function shareText(share: number): string {
  if (share <= 0) return 'none';
  return share < 0.001 ? '< 0.1 %' : `${short(share * 100)} %`;
}

/** Seconds between what happened and its receipt; clocks that are ahead give less than none. */
export function lagText(seconds: number): string {
  const size = Math.abs(seconds);
  const sign = seconds < 0 ? '−' : '';
  if (size < 0.05) return '0 s';
  if (size < 120) return `${sign}${short(size)} s`;
  if (size < 7_200) return `${sign}${short(size / 60)} min`;
  return size < 172_800 ? `${sign}${short(size / 3_600)} h` : `${sign}${short(size / 86_400)} days`;
}

/** "1.4 MiB". */
export function bytesText(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  const at = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log(bytes) / Math.log(1_024)));
  return `${short(bytes / 1_024 ** at)} ${units[at]}`;
}

function short(n: number): string {
  return n.toLocaleString('en', { maximumFractionDigits: n < 10 ? 1 : 0 });
}

export interface Minute {
  at: string;
  records: number;
  rejected: number;
}

const minute = 60_000;

/** The last 60 minutes up to `now`, oldest first, with those that nothing came in. */
export function lastHour(minutes: readonly Minute[], now: number) {
  const latest = Math.floor(now / minute) * minute;
  const byStart = new Map(minutes.map((each) => [Date.parse(each.at), each]));
  const starts = Array.from({ length: 60 }, (_, i) => latest - (59 - i) * minute);
  return {
    starts,
    interval: minute,
    records: starts.map((start) => byStart.get(start)?.records ?? 0),
    rejected: starts.map((start) => byStart.get(start)?.rejected ?? 0),
  };
}
