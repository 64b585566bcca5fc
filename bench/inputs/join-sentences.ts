import type { Random } from './random.js';

/** Special tokens around a text: [CLS] and [SEP]. */
const SPECIAL_TOKENS = 2;

/** A sentence and its tokens without the special ones: what it adds to a text that it is joined to. */
export interface Piece {
  readonly text: string;
  readonly tokens: number;
}

/** Texts of wanted lengths, made by choosing whole sentences and joining them. */
export class SentenceJoiner {
  readonly #byTokens = new Map<number, Piece[]>();
  readonly #shortest: number;
  readonly #longest: number;

  /** @param pieces at least one */
  constructor(pieces: readonly Piece[]) {
    for (const piece of pieces) {
      const same = this.#byTokens.get(piece.tokens);
      if (same === undefined) this.#byTokens.set(piece.tokens, [piece]);
      else same.push(piece);
    }
    this.#shortest = Math.min(...this.#byTokens.keys());
    this.#longest = Math.max(...this.#byTokens.keys());
  }

  /**
   * One sentence where there is one of about that length, else several.
   *
   * @param tokens wanted, special tokens included; met but for what the shortest sentence leaves over
   * @param split joins several also where one would do
   */
  text(tokens: number, random: Random, split = false): string {
    const parts: string[] = [];
    let left = tokens - SPECIAL_TOKENS;
    do {
      const fits = left <= this.#longest && !(split && parts.length === 0);
      const most = Math.min(left, this.#longest / 2);
      const wanted = fits ? left : Math.floor(random() * most);
      const piece = this.#nearest(Math.max(this.#shortest, wanted), random);
      parts.push(piece.text);
      left -= piece.tokens;
    } while (left >= this.#shortest);
    return parts.join(' ');
  }

  /** A piece of that many tokens, or of the nearest smaller number that there is, or of the shortest. */
  #nearest(tokens: number, random: Random): Piece {
    for (let length = tokens; length >= this.#shortest; length--) {
      const pieces = this.#byTokens.get(length);
      if (pieces !== undefined) return pieces[Math.floor(random() * pieces.length)] as Piece;
    }
    throw new Error(`no sentence of ${tokens} tokens`);
  }
}
