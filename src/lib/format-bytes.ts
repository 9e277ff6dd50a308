const UNITS = ["B", "kB", "MB", "GB", "TB"] as const;

/** `1117320736` as `1.1 GB`: powers of 1000, as disks and downloads are labelled. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1_000;
    unit++;
  }
  const digits = unit > 0 && value < 99.95 ? 1 : 0;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}
