import { Download } from 'lucide-react';
import type { ExportFormat } from '../../gql/schema';
import { Button } from '../../ui/Button';
import { Menu } from '../../ui/Menu';

const formats: readonly (readonly [ExportFormat, string])[] = [
  ['CSV', 'As CSV'],
  ['NDJSON', 'As NDJSON'],
];

const stix: readonly [ExportFormat, string] = ['STIX', 'As STIX 2.1'];

interface ExportMenuProps {
  /** The list can be written as STIX too. */
  hasStix?: boolean;
  /** Asks for the link; null when it was refused, which has been said. */
  onExport(format: ExportFormat): Promise<{ url?: string | null } | null>;
  /** Where it leads; the browser downloads it. */
  go?(url: string): void;
}

/** Downloads what matches, whole: the server streams it. */
export function ExportMenu({ hasStix = false, onExport, go = (url) => location.assign(url) }: ExportMenuProps) {
  return (
    <Menu
      label="Export what matches"
      align="right"
      trigger={(properties) => (
        <Button icon={Download} {...properties}>
          Export
        </Button>
      )}
      items={(hasStix ? [...formats, stix] : formats).map(([format, label]) => ({
        id: format,
        label,
        onSelect: async () => {
          const done = await onExport(format);
          if (done?.url) go(done.url);
        },
      }))}
    />
  );
}
