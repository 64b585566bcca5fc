/** What may stand beyond the last character that is shown and still be recognised: an address has at most 254 characters. */
const LOOK_AHEAD_CHARS = 320;

interface Shape {
  readonly name: string;
  readonly pattern: RegExp;
  /** Whether what the pattern found is one. Default: it is. */
  readonly is?: (found: string) => boolean;
}

/**
 * Shapes of what a text may give away. They take too much rather than too little: everything around an `@`, dates among
 * the numbers, long words with digits among the keys. What may have any length is matched to its end, as a rest that is too short to be
 * recognised would be shown. No repetition has two ways to match the same characters, so the time is linear in the text.
 */
const SHAPES: readonly Shape[] = [
  { name: 'link', pattern: /(?:[\p{L}][\p{L}\p{N}+.-]{0,30}:\/\/|www\.)\S+/giu },
  { name: 'email', pattern: /[^\s@＠]{1,64}[@＠][^\s@＠]{1,255}/gu },
  // Telephone, card, account and identity numbers, however they are grouped.
  { name: 'number', pattern: /\p{N}(?:[\s()./,·_\p{Pd}]{0,3}\p{N}){6,}/gu },
  {
    name: 'key',
    pattern: /[\p{L}\p{N}_+/=.~-]{16,}/gu,
    is: (found) => /\p{N}/u.test(found) && /\p{L}/u.test(found),
  },
];

const halfAtEnd = /[\uD800-\uDBFF]$/;

/**
 * The beginning of a text without what looks like an e-mail address, a link, a number of seven or more digits (telephone, card,
 * account) or a key. `[email]`, `[link]`, `[number]` and `[key]` stand in their place. Names of people and places stay.
 *
 * @param maxChars UTF-16 units of the text that are shown
 */
export function redact(text: string, maxChars: number): string {
  const seen = text.slice(0, maxChars + LOOK_AHEAD_CHARS);
  const found = SHAPES.flatMap(({ name, pattern, is = () => true }) =>
    [...seen.matchAll(pattern)]
      .filter(([match]) => is(match))
      .map(({ 0: match, index }) => ({ name, start: index, end: index + match.length })),
  ).sort((a, b) => a.start - b.start || b.end - a.end);
  let shown = '';
  let at = 0;
  for (const { name, start, end } of found) {
    if (start >= maxChars) break;
    // Of two that overlap the first gives the name, and both are hidden.
    if (start >= at) shown += `${seen.slice(at, start)}[${name}]`;
    at = Math.max(at, end);
  }
  // A character that is cut in two is not shown: a half is no text, and not every reader of JSON takes it.
  return (shown + seen.slice(at, maxChars)).replace(halfAtEnd, '');
}
