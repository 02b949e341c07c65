// YAML to read, with keys, comments and list marks apart.
const line = /^(\s*)((?:-\s+)*)(#.*|[^:#'"]+?(?=:(?:\s|$)))?(.*)$/;

export function Yaml({ text }: { text: string }) {
  return (
    <pre tabIndex={0} className="max-h-[28rem] overflow-auto p-3 font-mono text-xs leading-5">
      {text.split('\n').map((row, i) => {
        const [, indent, dash, head = '', rest] = line.exec(row) ?? ['', '', '', '', row];
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: lines have no other name
          <span key={i}>
            {indent}
            <span className="text-faint">{dash}</span>
            <span className={head.startsWith('#') ? 'text-faint italic' : 'text-accent'}>{head}</span>
            {rest}
            {'\n'}
          </span>
        );
      })}
    </pre>
  );
}
