// The leaves of a raw record, each with its path as a query line names it.

export interface Leaf {
  /** "EventData.Image". */
  path: string;
  value: string;
  /** Whether a query line can ask for it: leaves of lists cannot, nor names with other characters than these. */
  asks: boolean;
}

const most = 500;

/** The texts, numbers and truth values of a record, in its order; at most 500. */
export function flatten(record: unknown): Leaf[] {
  const leaves: Leaf[] = [];
  const visit = (value: unknown, path: string, asks: boolean) => {
    if (leaves.length >= most || value === null || value === undefined) return;
    if (Array.isArray(value)) {
      value.forEach((each, i) => {
        visit(each, `${path}[${i}]`, false);
      });
    } else if (typeof value === 'object') {
      for (const [name, inner] of Object.entries(value)) visit(inner, path ? `${path}.${name}` : name, asks);
    } else {
      leaves.push({ path, value: String(value), asks: asks && /^[\w.-]+$/.test(path) });
    }
  };
  visit(record, '', true);
  return leaves;
}
