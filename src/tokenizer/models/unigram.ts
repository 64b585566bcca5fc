import { isId, shown } from '../checked-values.js';
import { type ComponentJson, unsupported } from '../tokenizer-json.js';
import { BYTE_TOKENS, type Model } from './model.js';
import { PieceTrie } from './piece-trie.js';

/** The cost of an unknown character beyond the least likely piece: `K_UNK_PENALTY` of Rust `tokenizers`. */
const UNKNOWN_PENALTY = 10;

/**
 * The most likely segmentation of a word (Kudo 2018, SentencePiece's unigram model). Like `encode_optimized` in
 * `models/unigram/model.rs` of Rust `tokenizers`: among equally likely segmentations it takes the one whose last piece
 * begins first; adjacent unknown characters become one token, or their bytes.
 */
export class Unigram implements Model {
  readonly #ids = new Map<string, number>();
  readonly #scores: Float64Array;
  readonly #trie = new PieceTrie();
  readonly #unknownId: number;
  readonly #unknownScore: number;
  readonly #byteIds: readonly number[] | undefined;
  /**
   * For each end of a piece: the score of the best segmentation up to there, the start of its last piece, and its id.
   */
  #best = new Float64Array(256);
  #starts = new Int32Array(256);
  #pieces = new Int32Array(256);

  constructor({ vocab, unk_id, byte_fallback }: ComponentJson) {
    const pieces = vocab as readonly (readonly [string, number])[];
    if (!Array.isArray(vocab)) throw unsupported('the model Unigram', 'it has no vocab');
    if (!isId(unk_id) || unk_id >= pieces.length) {
      const detail = `its unk_id is ${shown(unk_id)}, which is no index of its ${pieces.length} pieces`;
      throw unsupported('the model Unigram', detail);
    }
    this.#scores = Float64Array.from(pieces, ([, score]) => score);
    pieces.forEach(([piece], id) => {
      this.#ids.set(piece, id);
      if (piece !== '') this.#trie.set(piece, id);
    });
    this.#unknownId = unk_id;
    this.#unknownScore =
      this.#scores.reduce((least, score) => Math.min(least, score), Infinity) - UNKNOWN_PENALTY;
    const byteIds = BYTE_TOKENS.map((token) => this.#ids.get(token) ?? -1);
    this.#byteIds = byte_fallback === true ? byteIds : undefined;
  }

  get size(): number {
    return this.#scores.length;
  }

  idOf(token: string): number | undefined {
    return this.#ids.get(token);
  }

  tokenize(word: string, ids: number[]): void {
    this.#cut(word);
    const ends: number[] = [];
    for (let end = word.length; end > 0; end = this.#starts[end] ?? 0) ends.push(end);
    let unknownFrom = -1;
    for (const end of ends.reverse()) {
      const start = this.#starts[end] ?? 0;
      const isUnknown = this.#pieces[end] === this.#unknownId;
      if (isUnknown && unknownFrom < 0) unknownFrom = start;
      if (!isUnknown && unknownFrom >= 0) {
        this.#pushUnknown(word.slice(unknownFrom, start), ids);
        unknownFrom = -1;
      }
      if (!isUnknown) ids.push(this.#pieces[end] ?? 0);
    }
    if (unknownFrom >= 0) this.#pushUnknown(word.slice(unknownFrom), ids);
  }

  /** Viterbi's algorithm, forwards. */
  #cut(word: string): void {
    this.#reserve(word.length + 1);
    const trie = this.#trie;
    for (let start = 0; start < word.length; ) {
      const here = this.#best[start] ?? 0;
      const point = word.codePointAt(start) ?? 0;
      const next = start + (point > 0xffff ? 2 : 1);
      let knowsCharacter = false;
      let node = trie.root;
      for (let end = start; end < word.length; ) {
        node = trie.child(node, word.charCodeAt(end++));
        if (node < 0) break;
        const id = trie.idAt(node);
        if (id < 0) continue;
        this.#offer(end, here + (this.#scores[id] ?? 0), start, id);
        if (end === next) knowsCharacter = true;
      }
      if (!knowsCharacter) this.#offer(next, here + this.#unknownScore, start, this.#unknownId);
      start = next;
    }
  }

  #offer(end: number, score: number, start: number, id: number): void {
    if (this.#starts[end] !== -1 && !(score > (this.#best[end] ?? 0))) return;
    this.#best[end] = score;
    this.#starts[end] = start;
    this.#pieces[end] = id;
  }

  #reserve(length: number): void {
    if (length > this.#best.length) {
      this.#best = new Float64Array(2 * length);
      this.#starts = new Int32Array(2 * length);
      this.#pieces = new Int32Array(2 * length);
    }
    this.#best[0] = 0;
    this.#starts.fill(-1, 0, length);
  }

  #pushUnknown(text: string, ids: number[]): void {
    const known = this.#ids.get(text);
    const bytes =
      this.#byteIds === undefined
        ? []
        : Array.from(Buffer.from(text, 'utf8'), (byte) => this.#byteIds?.[byte] ?? -1);
    if (known !== undefined) ids.push(known);
    else if (bytes.length > 0 && !bytes.includes(-1)) for (const id of bytes) ids.push(id);
    else ids.push(this.#unknownId);
  }
}
