// Sizes for people, in binary units.

const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** "812 bytes", "3.2 GiB". */
export function formatBytes(bytes: number): string {
  let [size, unit] = [bytes, 0];
  while (size >= 1_024 && unit < units.length - 1) {
    size /= 1_024;
    unit++;
  }
  return `${unit === 0 ? size.toLocaleString('en') : size.toFixed(1)} ${units[unit]}`;
}
