// Records to try a mapping on: pasted text, as records, and the paths that they have.
import { flatten } from '../../nouns/event/flatten';

/** As many as the server previews at once. */
export const mostSamples = 20;

export interface Samples {
  /** Each as JSON. */
  records: readonly string[];
  /** What is wrong with the text; null: nothing. */
  problem: string | null;
}

/** Reads one object, an array of objects, or an object on each line. */
export function readSamples(text: string): Samples {
  if (!text.trim()) return { records: [], problem: null };
  const whole = parse(text);
  if (Array.isArray(whole)) return sampled(whole.map((each) => JSON.stringify(each)));
  if (whole !== undefined) return sampled([text.trim()]);
  const lines = text.split('\n').filter((line) => line.trim());
  const broken = lines.findIndex((line) => parse(line) === undefined);
  if (broken === 0 || lines.length === 1) return { records: [], problem: 'That is no JSON.' };
  if (broken > 0) return { records: [], problem: `Line ${broken + 1} is no JSON.` };
  return sampled(lines);
}

function sampled(records: readonly string[]): Samples {
  return {
    records: records.slice(0, mostSamples),
    problem: records.length > mostSamples ? `The first ${mostSamples} are tried.` : null,
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

export interface SampledPath {
  /** As a mapping takes it: "list.0.name". */
  path: string;
  /** Of the first record that has it. */
  value: string;
}

/** The values of the records by their paths, in the order of the first record that has them. */
export function pathsOf(records: readonly string[]): SampledPath[] {
  const found = new Map<string, string>();
  for (const record of records) {
    for (const { path, value } of flatten(parse(record))) {
      const named = path.replace(/\[(\d+)\]/g, '.$1');
      if (!found.has(named)) found.set(named, value);
    }
  }
  return [...found].map(([path, value]) => ({ path, value }));
}

/** JSON with line breaks, for reading; what is none stays. */
export function pretty(text: string): string {
  const value = parse(text);
  return value === undefined ? text : JSON.stringify(value, null, 2);
}
