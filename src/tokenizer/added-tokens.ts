import { shown } from './checked-values.js';
import type { Normalizer } from './normalizers/create-normalizer.js';
import { type TokenizerJson, unsupported } from './tokenizer-json.js';

/** A part of a text: an added token by its id, or text that is still to be tokenised. */
export type Section =
  | { readonly kind: 'token'; readonly id: number }
  | { readonly kind: 'text'; readonly text: string; readonly start: number };

interface AddedToken {
  readonly id: number;
  readonly singleWord: boolean;
  readonly takesLeft: boolean;
  readonly takesRight: boolean;
  /** Found, so that no shorter token matches, but read as text. */
  readonly isText: boolean;
}

interface Node {
  readonly next: Map<number, Node>;
  token?: AddedToken;
}

const WORD = '[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}]';
const STARTS_WITH_WORD = new RegExp(`^${WORD}`, 'u');
const ENDS_WITH_WORD = new RegExp(`${WORD}$`, 'u');
const SPACE = /\p{White_Space}/u;

/** Finds a set of added tokens in a text: the leftmost match, and among those the longest. */
class Finder {
  readonly #root: Node = { next: new Map() };
  #isEmpty = true;

  add(content: string, token: AddedToken): void {
    let node = this.#root;
    for (let index = 0; index < content.length; index++) {
      const unit = content.charCodeAt(index);
      let next = node.next.get(unit);
      if (next === undefined) {
        next = { next: new Map() };
        node.next.set(unit, next);
      }
      node = next;
    }
    if (node.token !== undefined && node.token.id !== token.id) {
      throw unsupported(`the added token ${shown(content)}`, 'two added tokens read alike');
    }
    node.token = token;
    this.#isEmpty = false;
  }

  /** As `find_matches` in `tokenizer/added_vocabulary.rs` of Rust `tokenizers`. */
  split(text: string): Section[] {
    if (text === '') return [];
    if (this.#isEmpty) return [{ kind: 'text', text, start: 0 }];
    const sections: Section[] = [];
    let done = 0;
    let at = 0;
    /** The white space that was walked through last to the right: not again from a place inside of it. */
    let walked = { from: 0, to: 0 };
    while (at < text.length) {
      const found = this.#longestAt(text, at);
      if (found === undefined) {
        at++;
        continue;
      }
      const { token, end } = found;
      const begin = at;
      at = end;
      if (token.isText || (token.singleWord && !standsAlone(text, begin, end))) continue;
      const from = token.takesLeft ? spaceStart(text, begin, done) : begin;
      if (token.takesRight && !(walked.from <= end && end < walked.to)) {
        walked = { from: end, to: spaceEnd(text, end) };
      }
      const to = token.takesRight ? walked.to : end;
      if (done < from) sections.push({ kind: 'text', text: text.slice(done, from), start: done });
      // A match inside the white space that the previous token took is skipped.
      if (from < to) sections.push({ kind: 'token', id: token.id });
      done = to;
    }
    if (done < text.length) sections.push({ kind: 'text', text: text.slice(done), start: done });
    return sections;
  }

  #longestAt(text: string, start: number): { token: AddedToken; end: number } | undefined {
    let found: { token: AddedToken; end: number } | undefined;
    let node = this.#root.next.get(text.charCodeAt(start));
    for (let end = start + 1; node !== undefined; end++) {
      if (node.token !== undefined) found = { token: node.token, end };
      node = node.next.get(text.charCodeAt(end));
    }
    return found;
  }
}

function standsAlone(text: string, begin: number, end: number): boolean {
  // Two units hold any character next to the token.
  const before = text.slice(Math.max(0, begin - 2), begin);
  const after = text.slice(end, end + 2);
  return !ENDS_WITH_WORD.test(before) && !STARTS_WITH_WORD.test(after);
}

/** Where the white space before `end` begins, and `least` at the earliest, even where that lies behind `end`. */
function spaceStart(text: string, end: number, least: number): number {
  let start = Math.max(end, least);
  while (start > least && SPACE.test(text.charAt(start - 1))) start--;
  return start;
}

function spaceEnd(text: string, start: number): number {
  let end = start;
  while (end < text.length && SPACE.test(text.charAt(end))) end++;
  return end;
}

/** A model's knowledge of its own tokens. */
export interface ModelVocabulary {
  readonly size: number;
  idOf(token: string): number | undefined;
}

/**
 * The tokens that `tokenizer.json` adds to those of the model. They are found before a model sees a text: some in the
 * original text, `normalized` ones in the normalised text.
 *
 * Their ids are the same as in Rust `tokenizers`: the model's own if it knows the token, else the next free ones. The
 * ids in `tokenizer.json` must match.
 */
export class AddedTokens {
  readonly #raw = new Finder();
  readonly #normalized = new Finder();
  readonly #ids = new Map<string, number>();

  /** @throws Error for ids that contradict the model's, and for tokens that cannot be distinguished */
  constructor(
    { added_tokens, encode_special_tokens }: TokenizerJson,
    vocabulary: ModelVocabulary,
    normalize: Normalizer,
  ) {
    let next = vocabulary.size;
    for (const json of added_tokens ?? []) {
      const { content } = json;
      if (content === '') continue;
      const id = this.#ids.get(content) ?? vocabulary.idOf(content) ?? next++;
      if (json.id !== id) {
        const name = `the added token ${shown(content)}`;
        throw unsupported(name, `its id is ${json.id}, while the vocabulary makes it ${id}`);
      }
      this.#ids.set(content, id);
      const token: AddedToken = {
        id,
        singleWord: json.single_word === true,
        takesLeft: json.lstrip === true,
        takesRight: json.rstrip === true,
        isText: encode_special_tokens === true && json.special === true,
      };
      if (!(json.normalized ?? json.special !== true)) {
        this.#raw.add(content, token);
        continue;
      }
      const normalized = normalize(content);
      if (normalized === '') {
        throw unsupported(`the added token ${shown(content)}`, 'nothing is left of it after normalisation');
      }
      this.#normalized.add(normalized, token);
    }
  }

  idOf(token: string): number | undefined {
    return this.#ids.get(token);
  }

  splitRaw(text: string): Section[] {
    return this.#raw.split(text);
  }

  splitNormalized(text: string): Section[] {
    return this.#normalized.split(text);
  }
}
