/** The special tokens around one text: `[CLS]` text `[SEP]`. */
export interface SingleTemplate {
  readonly prefix: readonly number[];
  readonly suffix: readonly number[];
}

/** The special tokens around and between the texts of a pair: `[CLS]` first `[SEP]` second `[SEP]`. */
export interface PairTemplate extends SingleTemplate {
  readonly middle: readonly number[];
  /** Where token type 1 starts, counted from the end of the first text; undefined: nowhere. */
  readonly typeOffset: number | undefined;
}

/** What a template is inferred from. */
export interface TemplateSource {
  idsOf(text: string): readonly number[];
  withSpecials(text: string, textPair?: string): { ids: readonly number[]; types: readonly number[] };
}

/** Texts that some vocabulary may split in any way; two that it knows are enough. */
const PROBES = ['a', 'b', 'the', 'of', 'one two three', '1', '2', '.', ',', '中', '文'];

/**
 * Learns where a tokenizer puts special tokens, by encoding short texts with and without them and looking for the one
 * place where the latter lie in the former. Works for any post-processor that frames the texts in order.
 * @throws Error when no probe tells
 */
export function inferTemplates(source: TemplateSource): { single: SingleTemplate; pair: PairTemplate } {
  const probes = PROBES.map((text) => ({ text, ids: source.idsOf(text) })).filter(
    ({ ids }) => ids.length > 0,
  );
  const single = firstOf(probes, (probe) => singleOf(source.withSpecials(probe.text).ids, probe.ids));
  const pair = firstOf(probes, (first) =>
    firstOf(probes, (second) => {
      if (first === second) return undefined;
      const { ids, types } = source.withSpecials(first.text, second.text);
      return pairOf(ids, types, first.ids, second.ids);
    }),
  );
  if (single === undefined || pair === undefined) {
    throw new Error('the tokenizer puts special tokens in a way that cannot be inferred');
  }
  return { single, pair };
}

function singleOf(whole: readonly number[], ids: readonly number[]): SingleTemplate | undefined {
  const starts = occurrences(whole, ids, 0);
  const [start] = starts;
  if (start === undefined || starts.length > 1) return undefined;
  return { prefix: whole.slice(0, start), suffix: whole.slice(start + ids.length) };
}

function pairOf(
  whole: readonly number[],
  types: readonly number[],
  first: readonly number[],
  second: readonly number[],
): PairTemplate | undefined {
  const places = occurrences(whole, first, 0).flatMap((start) =>
    occurrences(whole, second, start + first.length).map((secondStart) => ({ start, secondStart })),
  );
  const [place] = places;
  if (place === undefined || places.length > 1) return undefined;
  const firstEnd = place.start + first.length;
  const typeStart = types.findIndex((type) => type > 0);
  return {
    prefix: whole.slice(0, place.start),
    middle: whole.slice(firstEnd, place.secondStart),
    suffix: whole.slice(place.secondStart + second.length),
    typeOffset: typeStart < firstEnd ? undefined : typeStart - firstEnd,
  };
}

/** Every index from `from` on where `part` lies in `whole`. */
function occurrences(whole: readonly number[], part: readonly number[], from: number): number[] {
  const found: number[] = [];
  for (let start = from; start + part.length <= whole.length; start++) {
    if (part.every((id, index) => whole[start + index] === id)) found.push(start);
  }
  return found;
}

function firstOf<T, R>(items: readonly T[], find: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}
