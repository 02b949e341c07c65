// The pages about what comes in: who sends, what was refused, how unknown records are read.
import { Link, type LinkProps } from '@tanstack/react-router';

const sections: readonly (readonly [to: LinkProps['to'], label: string])[] = [
  ['/sources', 'Sources'],
  ['/sources/dead-letters', 'Dead letters'],
  ['/sources/mappings', 'Mappings'],
];

export function SourceSections() {
  return (
    <nav
      aria-label="Sections of sources"
      className="flex shrink-0 gap-1 overflow-x-auto overflow-y-hidden border-b border-line px-3"
    >
      {sections.map(([to, label]) => (
        <Link
          key={to}
          to={to}
          activeOptions={{ exact: to === '/sources', includeSearch: false }}
          className="-mb-px shrink-0 border-b-2 border-transparent px-2 py-2 text-xs font-medium whitespace-nowrap text-muted hover:text-ink aria-[current=page]:border-accent aria-[current=page]:text-ink"
        >
          {label}
        </Link>
      ))}
    </nav>
  );
}
