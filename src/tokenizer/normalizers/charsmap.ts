import { unsupported } from '../tokenizer-json.js';
import { graphemes } from './graphemes.js';

/**
 * Characters that may form one grapheme with their neighbours (Unicode Standard Annex 29): a text without them is cut
 * by code points.
 */
const JOINING =
  /[\p{M}\p{Cf}\r\p{Emoji_Modifier}\p{Regional_Indicator}\u1100-\u11ff\ua960-\ua97c\ud7b0-\ud7fb\uff9e\uff9f\u0e33\u0eb3\u0d4e\u{111c2}\u{111c3}\u{113d1}\u{1193f}\u{11941}\u{11a3a}\u{11a84}-\u{11a89}\u{11d46}\u{11f02}]/u;
/** Longer graphemes are replaced code point by code point. */
const MAX_GRAPHEME_BYTES = 5;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The normalisation in a SentencePiece model: a double-array trie (Darts-clone) from byte sequences to offsets in a
 * list of zero-ended strings. Applied like Rust's `spm_precompiled`, unlike SentencePiece: a grapheme of at most five
 * bytes is replaced as a whole by the value of its *shortest* prefix in the trie; in any other grapheme, each code
 * point is replaced separately. Linear in the length of the text.
 */
export class Charsmap {
  readonly #units: Uint32Array;
  readonly #strings: Uint8Array;
  readonly #ascii: (string | undefined)[];
  readonly #plain: RegExp;
  readonly #bytes = new Uint8Array(16);

  /** @param base64 `precompiled_charsmap`: the trie's size in bytes, the trie, the strings; numbers little-endian */
  constructor(base64: unknown) {
    const bytes = typeof base64 === 'string' ? Buffer.from(base64, 'base64') : Buffer.alloc(0);
    const size = bytes.length < 4 ? Number.NaN : bytes.readUInt32LE(0);
    if (!(size > 0 && size % 4 === 0 && size + 4 <= bytes.length)) {
      throw unsupported('the normalizer Precompiled', 'its precompiled_charsmap holds no trie');
    }
    this.#units = Uint32Array.from({ length: size / 4 }, (_, index) => bytes.readUInt32LE(4 + 4 * index));
    this.#strings = bytes.subarray(4 + size);
    try {
      decoder.decode(this.#strings);
    } catch {
      throw unsupported('the normalizer Precompiled', 'its precompiled_charsmap holds invalid UTF-8');
    }
    const ascii = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code));
    this.#ascii = ascii.map((character) => this.#walk(character));
    const kept = ascii
      .map((_, code) => code)
      .filter((code) => code !== 13 && (this.#ascii[code] ?? ascii[code]) === ascii[code]);
    this.#plain = new RegExp(
      `^[${kept.map((code) => `\\x${code.toString(16).padStart(2, '0')}`).join('')}]*$`,
    );
  }

  normalize(text: string): string {
    if (this.#plain.test(text)) return text;
    if (!JOINING.test(text)) return this.#byCodePoint(text);
    let result = '';
    for (const grapheme of graphemes(text)) {
      const whole =
        grapheme.length === 1 || grapheme.length > MAX_GRAPHEME_BYTES ? undefined : this.#walk(grapheme);
      result += whole ?? this.#byCodePoint(grapheme);
    }
    return result;
  }

  #byCodePoint(text: string): string {
    let result = '';
    for (const character of text) {
      const code = character.charCodeAt(0);
      result += (code < 128 ? this.#ascii[code] : this.#walk(character)) ?? character;
    }
    return result;
  }

  /** The value of the shortest prefix; undefined if the trie has none, or the part is too long. */
  #walk(part: string): string | undefined {
    const { written, read } = encoder.encodeInto(part, this.#bytes);
    if (read < part.length || written > MAX_GRAPHEME_BYTES) return undefined;
    const units = this.#units;
    let position = offsetOf(units[0] ?? 0);
    for (let index = 0; index < written; index++) {
      const byte = this.#bytes[index] ?? 0;
      if (byte === 0) return undefined;
      position ^= byte;
      const unit = units[position] ?? 0;
      // The label of a leaf has its top bit set, so it equals no byte.
      if ((unit & 0x8000_00ff) !== byte) return undefined;
      position ^= offsetOf(unit);
      if ((unit & 0x100) !== 0) return this.#stringAt((units[position] ?? 0) & 0x7fff_ffff);
    }
    return undefined;
  }

  #stringAt(offset: number): string {
    const end = this.#strings.indexOf(0, offset);
    return decoder.decode(this.#strings.subarray(offset, end < 0 ? this.#strings.length : end));
  }
}

function offsetOf(unit: number): number {
  return (unit >>> 10) << ((unit & 0x200) >>> 6);
}
