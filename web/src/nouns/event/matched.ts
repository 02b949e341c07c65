// Where a rule's pattern lies in the value that matched it.

export interface Part {
  text: string;
  hit: boolean;
}

const longestRegExp = 500;

/**
 * Cuts a value into parts, marking what the pattern names: the words between its
 * wildcards * and ?, in order and whatever their case, or what it finds as a
 * regular expression. Where nothing of it is found literally (a number compared,
 * an encoded form) the whole value is marked.
 */
export function markMatched(value: string, pattern: string): Part[] {
  return literal(value, pattern) ?? regular(value, pattern) ?? [{ text: value, hit: true }];
}

function literal(value: string, pattern: string): Part[] | null {
  const words = pattern.split(/[*?]+/).filter((w) => w !== '');
  if (words.length === 0) return null;
  const lower = value.toLowerCase();
  const parts: Part[] = [];
  let from = 0;
  for (const word of words) {
    const at = lower.indexOf(word.toLowerCase(), from);
    if (at < 0) return null;
    if (at > from) parts.push({ text: value.slice(from, at), hit: false });
    parts.push({ text: value.slice(at, at + word.length), hit: true });
    from = at + word.length;
  }
  if (from < value.length) parts.push({ text: value.slice(from), hit: false });
  return parts;
}

function regular(value: string, pattern: string): Part[] | null {
  if (pattern.length > longestRegExp || value.length > 10_000) return null;
  try {
    const found = new RegExp(pattern.replace(/^\(\?[a-z]+\)/, ''), 'i').exec(value);
    if (!found?.[0]) return null;
    const end = found.index + found[0].length;
    return [
      { text: value.slice(0, found.index), hit: false },
      { text: found[0], hit: true },
      { text: value.slice(end), hit: false },
    ].filter((p) => p.text !== '');
  } catch {
    return null;
  }
}

const before = 120;

/** About `most` characters of the parts, from a little before the first hit. `cut` tells at which ends something is missing. */
export function excerptOf(
  parts: readonly Part[],
  most: number,
): { parts: Part[]; cut: { start: boolean; end: boolean } } {
  const length = parts.reduce((sum, part) => sum + part.text.length, 0);
  let hitAt = 0;
  for (const part of parts) {
    if (part.hit) break;
    hitAt += part.text.length;
  }
  const start = Math.max(0, Math.min(hitAt - before, length - most));
  const end = start + most;
  let at = 0;
  const kept = parts.flatMap((part) => {
    const text = part.text.slice(Math.max(0, start - at), Math.max(0, end - at));
    at += part.text.length;
    return text ? [{ ...part, text }] : [];
  });
  return { parts: kept, cut: { start: start > 0, end: end < length } };
}
