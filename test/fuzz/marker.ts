/**
 * Stands in every text that is sent, and must stand nowhere in the log. No name or header may have its second letter, so it never gets
 * there as one of those.
 */
export const marker = 'quøkka';

/** The text with the marker behind it. */
export function marked(text: string): string {
  return `${text} ${marker}`;
}
