// Conditions that are added to a query line by a click.

/** The line with one more condition; the same one twice is there once. `value` null: the field is empty. */
export function withCondition(line: string | undefined, name: string, value: string | null, not = false): string {
  // What is empty has no value at all.
  const condition = value === null ? `${not ? '' : '-'}${name}:*` : `${not ? '-' : ''}${name}:${quoted(value)}`;
  if (!line) return condition;
  const opposite = condition.startsWith('-') ? condition.slice(1) : `-${condition}`;
  // Beside an OR a condition binds to its side alone: there it says something else.
  if (/\bor\b/i.test(line)) return `(${line}) ${condition}`;
  const parts = ` ${line} `;
  if (parts.includes(` ${condition} `)) return line;
  // Wanting what was left out takes the place of that, and the other way round.
  if (parts.includes(` ${opposite} `)) return parts.replace(` ${opposite} `, ` ${condition} `).trim();
  return `${line} ${condition}`;
}

/** The line with several conditions together; `not`: what meets all of them at once is left out. */
export function withConditions(
  line: string | undefined,
  conditions: readonly { name: string; value: string | null }[],
  not = false,
): string {
  const [first] = conditions;
  if (not && first && conditions.length > 1) {
    const together = `-(${conditions.reduce((all, { name, value }) => withCondition(all, name, value), '')})`;
    if (!line) return together;
    if (/\bor\b/i.test(line)) return `(${line}) ${together}`;
    return line.includes(together) ? line : `${line} ${together}`;
  }
  return conditions.reduce((all, { name, value }) => withCondition(all, name, value, not), line ?? '');
}

function quoted(value: string): string {
  return /^[\w.-]+$/.test(value) ? value : `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
