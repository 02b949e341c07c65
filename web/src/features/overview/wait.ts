/** Seconds for people: 42 s, 5 min, 3.2 h, 2 days; a dash where nothing was measured. */
export function formatWait(seconds: number, count: number): string {
  if (count === 0) return '–';
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds < 3_600) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${(seconds / 3_600).toFixed(1)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}
