import { Download } from 'lucide-react';
import type { AlertFilter, ExportFormat } from '../../gql/schema';
import { Button } from '../../ui/Button';
import { Menu } from '../../ui/Menu';
import { useChange } from '../../ui/useChange';
import { AlertExportDocument } from './Export.generated';

const formats: readonly (readonly [ExportFormat, string])[] = [
  ['CSV', 'As CSV'],
  ['NDJSON', 'As NDJSON'],
];

/** Downloads what matches, whole: the server streams it. */
export function ExportMenu({ filter }: { filter: AlertFilter }) {
  const change = useChange();
  return (
    <Menu
      label="Export what matches"
      align="right"
      trigger={(properties) => (
        <Button icon={Download} {...properties}>
          Export
        </Button>
      )}
      items={formats.map(([format, label]) => ({
        id: format,
        label,
        onSelect: async () => {
          const done = await change(AlertExportDocument, { input: { filter, format } });
          if (done?.url) location.assign(done.url);
        },
      }))}
    />
  );
}
