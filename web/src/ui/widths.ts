// Widths of a grid's columns that were chosen: the same in every row, whatever
// stands in it, and as narrow as the columns allow before the grid scrolls.

export interface Width {
  /** In rem. */
  least: number;
  /** How much of the room that is left it takes, beside the others; absent: none. */
  grow?: number;
}

/** Of VirtualGrid's rows, in rem. */
const gap = 0.75;
const padding = 0.75;

export interface Widths {
  /** For grid-template-columns. */
  template: string;
  /** For min-width of each row: content alone would make each row as wide as it likes. */
  least: string;
}

export function widthsOf(columns: readonly Width[]): Widths {
  const template = columns.map(({ least, grow }) => (grow ? `minmax(${least}rem,${grow}fr)` : `${least}rem`)).join(' ');
  const least = columns.reduce(
    (sum, column) => sum + column.least,
    gap * Math.max(0, columns.length - 1) + 2 * padding,
  );
  return { template, least: `${least}rem` };
}
