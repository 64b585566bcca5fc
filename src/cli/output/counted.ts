const format = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** A whole number for people: `6,735`. */
export function whole(count: number): string {
  return format.format(count);
}

/** That many of them: `1 text`, `6,735 texts`. */
export function counted(count: number, noun: string): string {
  return `${whole(count)} ${noun}${count === 1 ? '' : 's'}`;
}
