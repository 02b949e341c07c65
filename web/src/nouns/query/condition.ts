// Conditions that are added to a query line by a click.

/** The line with one more condition; the same one twice is there once. */
export function withCondition(line: string | undefined, name: string, value: string, not = false): string {
  const condition = `${not ? '-' : ''}${name}:${quoted(value)}`;
  if (!line) return condition;
  const opposite = not ? condition.slice(1) : `-${condition}`;
  // Beside an OR a condition binds to its side alone: there it says something else.
  if (/\bor\b/i.test(line)) return `(${line}) ${condition}`;
  const parts = ` ${line} `;
  if (parts.includes(` ${condition} `)) return line;
  // Wanting what was left out takes the place of that, and the other way round.
  if (parts.includes(` ${opposite} `)) return parts.replace(` ${opposite} `, ` ${condition} `).trim();
  return `${line} ${condition}`;
}

function quoted(value: string): string {
  return /^[\w.-]+$/.test(value) ? value : `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
