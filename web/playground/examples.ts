// What the playground offers to begin with: examples/*.graphql. Their first line is
// "# Group: Title", the second may say more. A test of the server runs each of them.
export interface Example {
  file: string;
  group: string;
  title: string;
  about: string;
  query: string;
}

const files = import.meta.glob<string>('./examples/*.graphql', { query: '?raw', import: 'default', eager: true });

function read(path: string, text: string): Example {
  const [head = '', next = ''] = text.split('\n');
  const [group = '', title = ''] = head.replace(/^# /, '').split(': ', 2);
  const about = next.startsWith('# ') ? next.slice(2) : '';
  return { file: path.slice(path.lastIndexOf('/') + 1), group, title, about, query: text };
}

export const examples: readonly Example[] = Object.entries(files)
  .sort(([a], [b]) => a.localeCompare(b))
  .map(([path, text]) => read(path, text));

/** The examples by their groups, in the order of the files. */
export function grouped(all: readonly Example[] = examples): [string, Example[]][] {
  const groups = new Map<string, Example[]>();
  for (const example of all) groups.set(example.group, [...(groups.get(example.group) ?? []), example]);
  return [...groups];
}
