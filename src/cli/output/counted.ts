const format = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** A whole number for people: `6,735`. */
export function whole(count: number): string {
  return format.format(count);
}

/** A number with its noun: `1 text`, `6,735 texts`. */
export function counted(count: number, noun: string): string {
  return `${whole(count)} ${noun}${count === 1 ? '' : 's'}`;
}

const size = new Intl.NumberFormat('en', { maximumSignificantDigits: 3, useGrouping: false });

/** Bytes for people, in units of 1000: `268 MB`, `1.2 kB`. */
export function fileSize(bytes: number): string {
  if (bytes >= 1e9) return `${size.format(bytes / 1e9)} GB`;
  return bytes >= 1e6 ? `${size.format(bytes / 1e6)} MB` : `${size.format(bytes / 1e3)} kB`;
}
