export type Form = 'NFC' | 'NFD' | 'NFKC' | 'NFKD';

/** What may be a mark that is put in order, itself or decomposed: Unicode gives a combining class to nothing else. */
const MARK = '[\\p{M}\\uff9e\\uff9f]';
/** Shorter runs are quick to put in order, whichever way. */
const MIN_RUN = 64;
/** Looked for where a run begins and nowhere else in it. */
const LONG_RUN = new RegExp(`${MARK}(?<!${MARK}{2})${MARK}{${MIN_RUN - 1},}`, 'gu');
/** UTF-16 units that are composed at once. */
const CHUNK = 4096;

/** Marks of the lowest and of the highest combining class, 1 and 240: any other one changes places with one of them. */
const LOWEST = '\u0334';
const HIGHEST = '\u0345';

/**
 * `text.normalize(form)`, in a time that grows with the text. ICU puts marks in order by insertion, and moves the rest of
 * a text for each two letters that it composes; both take the square of the length where they never end: marks of
 * two combining classes by turns, letters that compose with those before them. Marks are therefore sorted beforehand,
 * which the standard defines to be an equivalent text, and composition goes chunk by chunk.
 */
export function normalize(text: string, form: Form): string {
  if (text.length < MIN_RUN) return text.normalize(form);
  const sorted = text.replace(LONG_RUN, (run) => inOrder(run, form));
  const composes = form === 'NFC' || form === 'NFKC';
  return composes && sorted.length > CHUNK ? composedByChunks(sorted, form) : sorted.normalize(form);
}

/** The run decomposed, and its marks between two starters sorted by their combining class (Unicode, D109 and D110). */
function inOrder(run: string, form: Form): string {
  const decomposition = form === 'NFC' || form === 'NFD' ? 'NFD' : 'NFKD';
  const parts = new Map(
    Array.from(new Set(run), (character) => [character, Array.from(character.normalize(decomposition))]),
  );
  const characters = Array.from(run).flatMap((character) => parts.get(character) ?? []);
  const ranks = ranksOf(new Set(characters));
  const rankOf = (character: string) => ranks.get(character) ?? -1;
  let result = '';
  let marks: string[] = [];
  for (const character of characters) {
    if (ranks.has(character)) {
      marks.push(character);
      continue;
    }
    result += marks.sort((left, right) => rankOf(left) - rankOf(right)).join('') + character;
    marks = [];
  }
  return result + marks.sort((left, right) => rankOf(left) - rankOf(right)).join('');
}

/**
 * A number for each mark, equal for marks of one combining class and in the order of the classes; none for starters.
 * JavaScript tells no combining class, but normalisation shows which marks change places.
 */
function ranksOf(characters: ReadonlySet<string>): Map<string, number> {
  const ranks = new Map<string, number>();
  const marks = Array.from(characters).filter(isMark);
  let rank = 0;
  let former: string | undefined;
  // Each of them once: few enough for ICU to put in order.
  for (const mark of marks.join('').normalize('NFD')) {
    if (former !== undefined && swaps(mark, former)) rank++;
    ranks.set(mark, rank);
    former = mark;
  }
  return ranks;
}

/** Whether the first has the higher combining class, and the second has one at all. Both are decomposed. */
function swaps(first: string, second: string): boolean {
  return (first + second).normalize('NFD') !== first + second;
}

/** Whether a character, decomposed, has a combining class. */
function isMark(character: string): boolean {
  return swaps(HIGHEST, character) || swaps(character, LOWEST);
}

/**
 * What a chunk is composed to is final up to its last starter: what follows can only compose with that one or with
 * what follows it.
 */
function composedByChunks(text: string, form: 'NFC' | 'NFKC'): string {
  let done = '';
  let open = '';
  for (let start = 0; start < text.length; ) {
    const end = starterFrom(text, start + CHUNK);
    const composed = (open + text.slice(start, end)).normalize(form);
    const last = lastStarter(composed);
    done += composed.slice(0, last);
    open = composed.slice(last);
    start = end;
  }
  return done + open;
}

/** The next starter from a place on, or the end of the text. */
function starterFrom(text: string, from: number): number {
  let at = from;
  // Not between the two units of a character.
  if (at < text.length && (text.codePointAt(at - 1) ?? 0) > 0xffff) at++;
  while (at < text.length) {
    const character = String.fromCodePoint(text.codePointAt(at) ?? 0);
    if (!startsWithMark(character)) return at;
    at += character.length;
  }
  return text.length;
}

function lastStarter(text: string): number {
  let at = text.length;
  while (at > 0) {
    at -= at > 1 && (text.codePointAt(at - 2) ?? 0) > 0xffff ? 2 : 1;
    if (!startsWithMark(String.fromCodePoint(text.codePointAt(at) ?? 0))) return at;
  }
  return 0;
}

function startsWithMark(character: string): boolean {
  const [first = ''] = character.normalize('NFKD');
  return isMark(first);
}
