export function Techniques({ ids }: { ids: readonly string[] }) {
  return (
    <span className="flex min-w-0 flex-wrap gap-1">
      {ids.map((id) => (
        <span key={id} className="rounded bg-raised px-1 font-mono text-2xs text-muted">
          {id}
        </span>
      ))}
    </span>
  );
}
