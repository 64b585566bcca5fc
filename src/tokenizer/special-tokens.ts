import { idIn, listIn, objectIn, shown, stringIn } from './checked-values.js';
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
    const part = `the post-processor ${json.type}`;
    if (!Array.isArray(token)) throw unsupported(part, 'it lacks cls or sep');
    return { kind: 'special', ids: [idIn(token[1], part, 'cls or sep')], type: 0 };
  }) as [FramePart, FramePart];
  return { single: [cls, FIRST, sep], pair: pair([cls, sep]) };
}

const TEMPLATE = 'the post-processor TemplateProcessing';

function templateOf(json: ComponentJson, name: 'single' | 'pair'): FramePart[] {
  const specials = objectIn(json.special_tokens ?? {}, TEMPLATE, 'special_tokens');
  const parts = listIn(json[name] ?? [], TEMPLATE, name).map((json): FramePart => {
    const { SpecialToken: special, Sequence: sequence } = objectIn(json, TEMPLATE, name);
    const { id, type_id } = objectIn(special ?? sequence, TEMPLATE, name);
    const type = idIn(type_id ?? 0, TEMPLATE, `${name}'s type_id`);
    if (special === undefined) return { kind: id === 'B' ? 'second' : 'first', type };
    return { kind: 'special', ids: idsOfSpecial(specials, stringIn(id, TEMPLATE, `${name}'s id`)), type };
  });
  const order = parts.filter(({ kind }) => kind !== 'special').map(({ kind }) => kind);
  if (order.join() !== (name === 'single' ? 'first' : 'first,second')) {
    throw unsupported(TEMPLATE, `its ${name} is not of the texts in their order`);
  }
  return parts;
}

function idsOfSpecial(specials: Readonly<Record<string, unknown>>, token: string): number[] {
  if (!Object.hasOwn(specials, token)) throw unsupported(TEMPLATE, `it does not list ${shown(token)}`);
  const { ids } = objectIn(specials[token], TEMPLATE, `special_tokens[${shown(token)}]`);
  return listIn(ids, TEMPLATE, `ids of ${shown(token)}`).map((id) =>
    idIn(id, TEMPLATE, `id of ${shown(token)}`),
  );
}

/**
 * The tokens before, between and after the texts, as in `processors/*.rs` of Rust `tokenizers`.
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
