// The server's bounds of tags, and how several are typed on one line.

export const mostTags = 50;
export const longestTag = 100;

/** "Phishing, vip" gives ["phishing", "vip"], as they are kept: in lower case, each once. */
export function readTags(line: string): string[] {
  const tags = line.split(',').map((tag) => tag.trim().toLowerCase());
  return [...new Set(tags)].filter(Boolean);
}

/** The tags as they will be. */
export function tagged(tags: readonly string[], add: readonly string[] = [], remove: readonly string[] = []): string[] {
  const off = new Set(remove);
  return [...new Set([...tags.filter((tag) => !off.has(tag)), ...add])];
}
