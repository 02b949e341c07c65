// A tree that comes as a list in the order in which it is read.

export interface Branch {
  key: string;
  parent: string | null;
  depth: number;
}

/** The children of each that has some, in order. */
export function childrenOf(branches: readonly Branch[]): ReadonlyMap<string, readonly string[]> {
  const children = new Map<string, string[]>();
  for (const { key, parent } of branches) {
    if (parent === null) continue;
    const known = children.get(parent);
    if (known) known.push(key);
    else children.set(parent, [key]);
  }
  return children;
}

/** What is not below a closed one. */
export function visible<T extends Branch>(branches: readonly T[], closed: ReadonlySet<string>): T[] {
  const hidden = new Set<string>();
  return branches.filter(({ key, parent }) => {
    if (parent === null || !(closed.has(parent) || hidden.has(parent))) return true;
    hidden.add(key);
    return false;
  });
}
