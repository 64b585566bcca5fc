/** UTF-16 units that are looked at together. */
const WINDOW = 512;

const segmenter = new Intl.Segmenter('und', { granularity: 'grapheme' });

/**
 * The graphemes of a text (Unicode Standard Annex 29), in a time that grows with it: before Node.js 24, the segmenter
 * copies the whole text for each one. It is therefore given windows. Whether a grapheme ends somewhere is told by what
 * it holds so far and by the next character, so that a window which starts with a grapheme tells all but its last one.
 */
export function* graphemes(text: string): Generator<string> {
  let start = 0;
  let size = WINDOW;
  while (start < text.length) {
    const end = windowEnd(text, start + size);
    let done = start;
    let last = '';
    for (const { segment } of segmenter.segment(text.slice(start, end))) {
      if (last !== '') yield last;
      done += last.length;
      last = segment;
    }
    if (end === text.length) {
      yield last;
      return;
    }
    // A grapheme that is longer than the window takes a longer one.
    size = done === start ? 2 * size : WINDOW;
    start = done;
  }
}

/** Not between the two units of a character. */
function windowEnd(text: string, wanted: number): number {
  if (wanted >= text.length) return text.length;
  return (text.codePointAt(wanted - 1) ?? 0) > 0xffff ? wanted + 1 : wanted;
}
