interface TechniquesProps {
  ids: readonly string[];
  /** On one line: the first alone, and how many more there are. */
  short?: boolean;
}

/** ATT&CK technique ids. */
export function Techniques({ ids, short = false }: TechniquesProps) {
  const shown = short ? ids.slice(0, 1) : ids;
  const more = ids.length - shown.length;
  return (
    <span className={short ? 'flex items-center gap-1 whitespace-nowrap' : 'flex min-w-0 flex-wrap gap-1'}>
      {shown.map((id) => (
        <span key={id} className="rounded bg-raised px-1 font-mono text-2xs text-muted">
          {id}
        </span>
      ))}
      {more > 0 && <span className="text-2xs text-faint">+{more}</span>}
    </span>
  );
}
