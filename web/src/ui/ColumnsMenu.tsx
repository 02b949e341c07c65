// Which columns a list shows, chosen from a menu. The choice is a word of the
// address, "time,host,command"; the usual columns are not named there.
import { Columns3 } from 'lucide-react';
import { Button } from './Button';
import { Menu } from './Menu';

export interface ChoosableColumn {
  id: string;
  title: string;
  /** Shown only when it is chosen. */
  extra?: boolean;
}

interface ColumnsMenuProps {
  /** Those that can be chosen, in the order in which they stand. */
  columns: readonly ChoosableColumn[];
  /** The choice as the address has it; undefined: the usual ones. */
  cols: string | undefined;
  onChange(cols: string | undefined): void;
}

export function ColumnsMenu({ columns, cols, onChange }: ColumnsMenuProps) {
  const shown = shownOf(columns, cols);
  return (
    <Menu
      label="Columns"
      align="right"
      trigger={(properties) => (
        <Button icon={Columns3} {...properties}>
          Columns
        </Button>
      )}
      items={columns.map((column) => ({
        id: column.id,
        label: column.title,
        checked: shown.has(column.id),
        many: true,
        onSelect: () => onChange(withColumn(columns, cols, column.id)),
      }))}
    />
  );
}

/** The choice with the column `id` turned on or off; undefined where the usual ones are left, or none. */
export function withColumn(
  columns: readonly ChoosableColumn[],
  cols: string | undefined,
  id: string,
): string | undefined {
  const shown = shownOf(columns, cols);
  if (!shown.delete(id)) shown.add(id);
  const chosen = columns.filter((column) => shown.has(column.id));
  const usual = columns.filter((column) => !column.extra);
  const isUsual = chosen.length === usual.length && chosen.every((column) => !column.extra);
  return isUsual || chosen.length === 0 ? undefined : chosen.map((column) => column.id).join(',');
}

function shownOf(columns: readonly ChoosableColumn[], cols: string | undefined): Set<string> {
  return new Set(cols?.split(',') ?? columns.filter((column) => !column.extra).map((column) => column.id));
}
