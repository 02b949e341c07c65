// Durations of the API, ISO 8601 such as P90D or PT2160H, for people.

const parts: readonly [letter: string, seconds: number][] = [
  ['W', 604_800],
  ['D', 86_400],
];
const timeParts: readonly [letter: string, seconds: number][] = [
  ['H', 3_600],
  ['M', 60],
  ['S', 1],
];

/** The seconds of "P90D" or "PT15M"; null for what is none, and for months and years, which have no length. */
export function secondsOf(text: string): number | null {
  const match = /^P(?=.)((?:\d+(?:\.\d+)?[WD])*)(?:T((?:\d+(?:\.\d+)?[HMS])+))?$/.exec(text.trim().toUpperCase());
  if (!match) return null;
  const sum = (text: string, units: typeof parts) =>
    [...text.matchAll(/([\d.]+)([A-Z])/g)].reduce(
      (all, [, count, letter]) => all + Number(count) * (units.find(([l]) => l === letter)?.[1] ?? 0),
      0,
    );
  return sum(match[1] ?? '', parts) + sum(match[2] ?? '', timeParts);
}

export const durationUnits = [
  ['days', 86_400],
  ['hours', 3_600],
  ['minutes', 60],
  ['seconds', 1],
] as const;

export type DurationUnit = (typeof durationUnits)[number][0];

/** A count in the largest unit that divides it: 2160 hours are 90 days. */
export function countOf(seconds: number): { count: number; unit: DurationUnit } {
  const [unit, per] = durationUnits.find(([, per]) => seconds >= per && seconds % per === 0) ?? durationUnits[3];
  return { count: seconds / per, unit };
}

/** "90 days" of "PT2160H"; the text itself where it is no duration. */
export function formatDuration(text: string): string {
  const seconds = secondsOf(text);
  if (seconds === null) return text;
  const { count, unit } = countOf(seconds);
  return `${count.toLocaleString('en')} ${count === 1 ? unit.slice(0, -1) : unit}`;
}

/** As the API takes it: days as such, all else as a time. */
export function toDuration(count: number, unit: DurationUnit): string {
  return unit === 'days' ? `P${count}D` : `PT${count}${unit.charAt(0).toUpperCase()}`;
}
