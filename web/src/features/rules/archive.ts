// Rules out of what people choose: ZIP archives and YAML files, in parts that the
// server takes.
import { unzip } from 'fflate';

export interface RuleFile {
  path: string;
  source: string;
}

const mostFiles = 200;
const mostBytes = 900_000;
/** What one file may have, unpacked; the server refuses larger ones anyway. */
const largestFile = 500_000;

const isRule = (path: string) => /\.ya?ml$/i.test(path);

/** Reads every rule of the chosen files. Errors say which file is no archive. */
export async function readRules(chosen: readonly File[]): Promise<RuleFile[]> {
  const found: RuleFile[] = [];
  for (const file of chosen) {
    if (isRule(file.name)) found.push({ path: file.name, source: await file.text() });
    else found.push(...(await readArchive(file)));
  }
  return found;
}

function readArchive(file: File): Promise<RuleFile[]> {
  return file.arrayBuffer().then(
    (buffer) =>
      new Promise((done, failed) => {
        unzip(
          new Uint8Array(buffer),
          { filter: (entry) => isRule(entry.name) && entry.originalSize <= largestFile },
          (error, entries) => {
            if (error) return failed(new Error(`${file.name} is no ZIP archive that can be read.`));
            const decoder = new TextDecoder();
            done(Object.entries(entries).map(([path, bytes]) => ({ path, source: decoder.decode(bytes) })));
          },
        );
      }),
  );
}

/** Cuts files into parts of at most 200 files and 900 kB. */
export function inParts(files: readonly RuleFile[]): RuleFile[][] {
  const parts: RuleFile[][] = [];
  let bytes = 0;
  for (const file of files) {
    // JSON makes text longer; two bytes a character is on the safe side for what rules have.
    const size = file.source.length * 2;
    const last = parts.at(-1);
    if (!last || last.length >= mostFiles || bytes + size > mostBytes) {
      parts.push([file]);
      bytes = size;
    } else {
      last.push(file);
      bytes += size;
    }
  }
  return parts;
}
