// YAML to read, with keys, comments and list marks apart.
import { legible } from '../../ui/legible';

const line = /^(\s*)((?:-\s+)*)(#.*|[^:#'"]+?(?=:(?:\s|$)))?(.*)$/;

export function Yaml({ text }: { text: string }) {
  return (
    <pre tabIndex={0} className="max-h-[28rem] overflow-auto p-3 font-mono text-xs leading-5">
      {text.split('\n').map((row, i) => {
        const [, indent, dash, head = '', rest] = line.exec(row) ?? ['', '', '', '', row];
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: lines have no other name
          <span key={i}>
            {legible(indent)}
            <span className="text-faint">{legible(dash)}</span>
            <span className={head.startsWith('#') ? 'text-faint italic' : 'text-accent'}>{legible(head)}</span>
            {legible(rest)}
            {'\n'}
          </span>
        );
      })}
    </pre>
  );
}
