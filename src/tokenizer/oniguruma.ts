import { toRegExp } from 'oniguruma-to-es';
import { shown } from './checked-values.js';
import { unsupported } from './tokenizer-json.js';

/** Word characters inside a class, and the additional ones outside of it. */
const WORD = '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}';
const WORD_OUTSIDE = '²³¹¼½¾';
const WORD_ESCAPES: Readonly<Record<string, string>> = {
  w: `[${WORD}${WORD_OUTSIDE}]`,
  W: `[^${WORD}${WORD_OUTSIDE}]`,
};

/**
 * A global regular expression that matches like Oniguruma, to which Rust `tokenizers` passes the patterns of Split and
 * Replace, in Ruby's syntax. It rewrites `\w` first, because Oniguruma's differs from every other: it was measured over
 * all code points, with onig 6.5.1.
 * @throws Error for a pattern that JavaScript cannot match in the same way; the message holds the pattern
 */
export function onigurumaRegExp(pattern: string, owner: string): RegExp {
  try {
    return toRegExp(withWordClasses(pattern), {
      accuracy: 'strict',
      avoidSubclass: true,
      global: true,
      target: 'ES2024',
    });
  } catch (error) {
    throw unsupported(`${owner} with the pattern ${shown(pattern)}`, (error as Error).message);
  }
}

function withWordClasses(pattern: string): string {
  if (/\[:\^?word:|\\p\{\^?word\}/i.test(pattern))
    throw new Error('the class word is another one in Oniguruma');
  let depth = 0;
  return pattern.replace(/\\(.)|\[\^?\]?|\]/gsu, (found, escaped: string | undefined) => {
    if (escaped === undefined) {
      if (found.startsWith('[')) depth++;
      else if (depth > 0) depth--;
      return found;
    }
    if (depth > 0) return escaped === 'w' ? WORD : escaped === 'W' ? `[^${WORD}]` : found;
    if (/[bByX]/.test(escaped)) throw new Error(`\\${escaped} has other bounds in Oniguruma`);
    return WORD_ESCAPES[escaped] ?? found;
  });
}

export interface Match {
  readonly start: number;
  readonly end: number;
}

/** The matches in order, without empty ones directly after a match, like Oniguruma's iterator. */
export function matchesOf(text: string, expression: RegExp): Match[] {
  const matches: Match[] = [];
  let lastEnd = -1;
  for (const { 0: found, index } of text.matchAll(expression)) {
    const end = index + found.length;
    if (found.length > 0 || index !== lastEnd) matches.push({ start: index, end });
    lastEnd = end;
  }
  return matches;
}
