// A file of indicators in parts that the API takes: CSV is cut between lines, with
// its first line in each, STIX between objects.
import type { IndicatorFormat } from '../../gql/schema';

/** In characters: of three bytes each they are below the API's 512 KiB. */
export const partSize = 150_000;
/** Objects in a part, so that it takes about a second. */
const partObjects = 2_000;

export interface Part {
  text: string;
  /** The position in the file of what the text begins with. */
  first: number;
  /** How many lines or objects it has. */
  size: number;
}

export function formatOf(text: string): IndicatorFormat {
  return /^\s*[[{]\s*["{]/.test(text.replace('\ufeff', '')) ? 'STIX' : 'CSV';
}

export function partsOf(format: IndicatorFormat, text: string): Part[] {
  return format === 'CSV' ? partsOfCSV(text) : partsOfSTIX(text);
}

/** Lines of a CSV file; a line break in quotes is none. */
export function linesOf(text: string, most = Number.POSITIVE_INFINITY): string[] {
  const lines: string[] = [];
  let begin = 0;
  let quoted = false;
  for (let i = 0; i < text.length && lines.length < most; i++) {
    const c = text.charCodeAt(i);
    if (c === 34) quoted = !quoted;
    else if (c === 10 && !quoted) {
      lines.push(text.slice(begin, i + 1));
      begin = i + 1;
    }
  }
  if (begin < text.length && lines.length < most) lines.push(text.slice(begin));
  return lines;
}

const isComment = (line: string) => line.trim() === '' || line.trimStart().startsWith('#');

function breaksIn(text: string): number {
  return text.split('\n').length - 1;
}

function partsOfCSV(text: string): Part[] {
  const lines = linesOf(text.replace('\ufeff', ''));
  const head = headLine(lines);
  const parts: Part[] = [];
  let held = '';
  let size = 0;
  let row = 1;
  let first = 1;
  const flush = () => {
    if (size > 0) parts.push({ text: held, first, size });
    held = '';
    size = 0;
  };
  lines.forEach((line, at) => {
    if (size > 0 && held.length + line.length > partSize) flush();
    if (size === 0) {
      // The line of names is repeated, and is no line of the file there.
      const names = at > head ? (lines[head] ?? '') : '';
      held = names;
      first = row - breaksIn(names);
    }
    held += line;
    size++;
    row += breaksIn(line);
  });
  flush();
  return parts;
}

/** Where the names of the columns stand: in the first line that is no comment, or in the last comment before it. */
function headLine(lines: readonly string[]): number {
  const at = lines.findIndex((line) => !isComment(line));
  const comment = lines[at - 1];
  return comment && (comment.match(/"/g)?.length ?? 0) >= 2 && /[,;\t|]/.test(comment) ? at - 1 : at;
}

function partsOfSTIX(text: string): Part[] {
  const bundle: unknown = JSON.parse(text.replace('\ufeff', ''));
  const objects = Array.isArray(bundle) ? bundle : (bundle as { objects?: unknown } | null)?.objects;
  if (!Array.isArray(objects)) throw new Error('The file is no STIX bundle: it has no objects.');
  const parts: Part[] = [];
  let held: string[] = [];
  let length = 0;
  let first = 1;
  const flush = (next: number) => {
    if (held.length > 0) parts.push({ text: `{"objects":[${held.join(',')}]}`, first, size: held.length });
    held = [];
    length = 0;
    first = next;
  };
  objects.forEach((object, at) => {
    const json = JSON.stringify(object);
    if (held.length > 0 && (length + json.length > partSize || held.length === partObjects)) flush(at + 1);
    held.push(json);
    length += json.length + 1;
  });
  flush(0);
  return parts;
}

/** The first rows of a CSV file in columns, to look at before importing it. */
export function previewOf(text: string, rows = 6): string[][] {
  const lines = linesOf(text.replace('\ufeff', '').slice(0, 64_000), 200);
  const head = Math.max(headLine(lines), 0);
  const sample = lines.slice(head, head + rows);
  const counts = [',', ';', '\t', '|'].map((d) => (sample.at(-1) ?? '').split(d).length);
  const delimiter = [',', ';', '\t', '|'][counts.indexOf(Math.max(...counts))] ?? ',';
  return sample.map((line) => cellsOf(line.replace(/\r?\n$/, ''), delimiter));
}

function cellsOf(line: string, delimiter: string): string[] {
  const cells: string[] = [];
  let cell = '';
  let quoted = false;
  for (const c of line.replace(/^#\s*/, '')) {
    if (c === '"') quoted = !quoted;
    else if (c === delimiter && !quoted) {
      cells.push(cell.trim());
      cell = '';
    } else cell += c;
  }
  return [...cells, cell.trim()];
}
