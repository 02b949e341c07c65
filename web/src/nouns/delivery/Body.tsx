import { legible } from '../../ui/legible';

/** A message as it is sent. */
export function Body({ text, label }: { text: string; label: string }) {
  return (
    <section
      aria-label={label}
      tabIndex={0} // what scrolls is reached by keys
      className="max-h-64 overflow-auto rounded-md border border-line bg-raised p-2"
    >
      <pre className="font-mono text-xs break-all whitespace-pre-wrap">{legible(text)}</pre>
    </section>
  );
}
