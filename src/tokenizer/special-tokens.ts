import type { PairTemplate, SingleTemplate } from './special-template.js';
import { type ComponentJson, componentsOf, unsupported } from './tokenizer-json.js';

/** A special token, or the place of a text, and the token type there. */
type FramePart =
  | { readonly kind: 'special'; readonly ids: readonly number[]; readonly type: number }
  | { readonly kind: 'first' | 'second'; readonly type: number };

/** How special tokens frame one text, and the two texts of a pair. */
interface Frames {
  readonly single: readonly FramePart[];
  readonly pair: readonly FramePart[];
}

const BARE: Frames = {
  single: [{ kind: 'first', type: 0 }],
  pair: [
    { kind: 'first', type: 0 },
    { kind: 'second', type: 1 },
  ],
};

function framesOf(json: ComponentJson | null | undefined): Frames {
  const framing = componentsOf(json).filter(({ type }) => type !== 'ByteLevel');
  const [only, ...others] = framing;
  if (only === undefined) return BARE;
  if (others.length > 0)
    throw unsupported('the post-processor Sequence', 'several of its processors add tokens');
  switch (only.type) {
    case 'TemplateProcessing':
      return { single: templateOf(only, 'single'), pair: templateOf(only, 'pair') };
    case 'BertProcessing':
      return around(only, ([cls, sep]) => [
        cls,
        FIRST,
        sep,
        { kind: 'second', type: 1 },
        { ...sep, type: 1 },
      ]);
    case 'RobertaProcessing':
      return around(only, ([cls, sep]) => [cls, FIRST, sep, sep, { kind: 'second', type: 0 }, sep]);
    default:
      throw unsupported(`the post-processor ${only.type}`, 'there is no such component');
  }
}

const FIRST: FramePart = { kind: 'first', type: 0 };

function around(json: ComponentJson, pair: (tokens: [FramePart, FramePart]) => FramePart[]): Frames {
  const [cls, sep] = [json.cls, json.sep].map((token): FramePart => {
    const id = Array.isArray(token) ? token[1] : undefined;
    if (typeof id !== 'number') throw unsupported(`the post-processor ${json.type}`, 'it lacks cls or sep');
    return { kind: 'special', ids: [id], type: 0 };
  }) as [FramePart, FramePart];
  return { single: [cls, FIRST, sep], pair: pair([cls, sep]) };
}

interface TemplatePiece {
  readonly SpecialToken?: { readonly id: string; readonly type_id: number };
  readonly Sequence?: { readonly id: string; readonly type_id: number };
}

function templateOf(json: ComponentJson, name: 'single' | 'pair'): FramePart[] {
  const specials = (json.special_tokens ?? {}) as Record<string, { readonly ids?: readonly number[] }>;
  const pieces = (json[name] ?? []) as readonly TemplatePiece[];
  const parts = pieces.map(({ SpecialToken: special, Sequence: sequence }): FramePart => {
    if (special !== undefined) {
      const ids = specials[special.id]?.ids;
      if (ids === undefined) {
        throw unsupported('the post-processor TemplateProcessing', `it does not list ${special.id}`);
      }
      return { kind: 'special', ids, type: special.type_id };
    }
    return { kind: sequence?.id === 'B' ? 'second' : 'first', type: sequence?.type_id ?? 0 };
  });
  const order = parts.filter(({ kind }) => kind !== 'special').map(({ kind }) => kind);
  if (order.join() !== (name === 'single' ? 'first' : 'first,second')) {
    throw unsupported(
      'the post-processor TemplateProcessing',
      `its ${name} is not of the texts in their order`,
    );
  }
  return parts;
}

/**
 * The tokens before, between and after the texts, as `processors/*.rs` of Rust `tokenizers` put them.
 * @throws Error naming the post-processor that is not supported
 */
export function templatesOf(json: ComponentJson | null | undefined): {
  single: SingleTemplate;
  pair: PairTemplate;
} {
  const { single, pair } = framesOf(json);
  if (single.some(({ type }) => type !== 0) || !/^0*1*$/.test(pair.map(({ type }) => type).join(''))) {
    throw unsupported('the post-processor', 'its token types are not 0, and 1 from some place in a pair on');
  }
  const [first = -1, second = -1] = ['first', 'second'].map((kind) =>
    pair.findIndex((part) => part.kind === kind),
  );
  const typeStart = pair.findIndex(({ type }) => type === 1);
  const place = single.findIndex(({ kind }) => kind === 'first');
  return {
    single: { prefix: idsOf(single.slice(0, place)), suffix: idsOf(single.slice(place + 1)) },
    pair: {
      prefix: idsOf(pair.slice(0, first)),
      middle: idsOf(pair.slice(first + 1, second)),
      suffix: idsOf(pair.slice(second + 1)),
      typeOffset: typeStart <= first ? undefined : idsOf(pair.slice(first + 1, typeStart)).length,
    },
  };
}

function idsOf(parts: readonly FramePart[]): number[] {
  return parts.flatMap((part) => (part.kind === 'special' ? part.ids : []));
}
