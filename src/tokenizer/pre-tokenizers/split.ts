import { shown } from '../checked-values.js';
import type { Match } from '../oniguruma.js';
import { unsupported } from '../tokenizer-json.js';

/** How delimiters are treated: `SplitDelimiterBehavior` in `tokenizer/normalizer.rs` of Rust `tokenizers`. */
export const SPLIT_BEHAVIOURS = [
  'Removed',
  'Isolated',
  'MergedWithPrevious',
  'MergedWithNext',
  'Contiguous',
] as const;
export type SplitBehaviour = (typeof SPLIT_BEHAVIOURS)[number];

export function splitBehaviourOf(value: unknown, owner: string): SplitBehaviour {
  const known = SPLIT_BEHAVIOURS.find((behaviour) => behaviour === value);
  if (known === undefined) throw unsupported(owner, `its behavior is ${shown(value)}`);
  return known;
}

interface Piece {
  readonly start: number;
  end: number;
  readonly isDelimiter: boolean;
}

/** Cuts a text at the delimiters, which are in order; `inverted`: the parts between them are the delimiters. */
export function splitAt(
  text: string,
  delimiters: readonly Match[],
  behaviour: SplitBehaviour,
  inverted = false,
): string[] {
  const pieces = alternating(text, delimiters, inverted);
  return joined(pieces, behaviour)
    .filter(({ start, end }) => end > start)
    .map(({ start, end }) => text.slice(start, end));
}

function alternating(text: string, delimiters: readonly Match[], inverted: boolean): Piece[] {
  const pieces: Piece[] = [];
  let last = 0;
  for (const { start, end } of delimiters) {
    if (start > last) pieces.push({ start: last, end: start, isDelimiter: inverted });
    pieces.push({ start, end, isDelimiter: !inverted });
    last = end;
  }
  if (last < text.length) pieces.push({ start: last, end: text.length, isDelimiter: inverted });
  return pieces;
}

function joined(pieces: readonly Piece[], behaviour: SplitBehaviour): readonly Piece[] {
  switch (behaviour) {
    case 'Isolated':
      return pieces;
    case 'Removed':
      return pieces.filter(({ isDelimiter }) => !isDelimiter);
    case 'Contiguous':
      return merged(pieces, (piece, previous) => piece.isDelimiter === previous);
    case 'MergedWithPrevious':
      return merged(pieces, (piece, previous) => piece.isDelimiter && !previous);
    case 'MergedWithNext':
      return merged(
        pieces.toReversed().map(({ start, end, isDelimiter }) => ({ start: -end, end: -start, isDelimiter })),
        (piece, previous) => piece.isDelimiter && !previous,
      )
        .map(({ start, end, isDelimiter }) => ({ start: -end, end: -start, isDelimiter }))
        .toReversed();
  }
}

/** Joins a piece to the previous one if `joins` says so. No delimiter comes before the first piece. */
function merged(pieces: readonly Piece[], joins: (piece: Piece, previous: boolean) => boolean): Piece[] {
  const result: Piece[] = [];
  let previous = false;
  for (const piece of pieces) {
    const last = result.at(-1);
    if (last !== undefined && joins(piece, previous)) last.end = piece.end;
    else result.push({ ...piece });
    previous = piece.isDelimiter;
  }
  return result;
}
