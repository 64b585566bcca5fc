import type { Encoding, TextInput, Tokenizer } from '../tokenizer/types.js';
import type { Golden } from './golden.js';

/** Longer ones cost time at every start and show nothing more. */
const LONGEST_PROBE_TOKENS = 64;
/** Of each kind, golden texts and those below. */
const MOST_OF_A_KIND = 8;
/** A model may read more, but attention over so many tokens takes gigabytes. */
const MOST_TOKENS_AT_LIMIT = 512;

const TEXTS = [
  'yes',
  'No.',
  'a good film',
  'What a waste of time!',
  'not bad at all, I would buy it again',
  'Où est la gare la plus proche ?',
  '我的卡还没有到。',
  'Order 4711 was paid twice; please send the money back to my card.',
  'The first half drags on without an aim, but the last twenty minutes, with their quiet music and the long walk ' +
    'back to the house by the sea, made up for all of it, and I left the cinema happier than I had come.',
];

/** Inputs that a model is tried with, shortest first. */
export async function probeInputs(tokenizer: Tokenizer, golden: Golden | undefined): Promise<Encoding[]> {
  const encode = async (inputs: readonly TextInput[]) => {
    const encodings = await Promise.all(inputs.map((input) => tokenizer.encode(input, 'end')));
    return byLength(encodings.map((encoding) => cutTo(encoding, LONGEST_PROBE_TOKENS)));
  };
  const own = await encode(TEXTS.map((text) => ({ text })));
  const known = await encode((golden?.entries ?? []).map(({ input }) => input));
  return byLength([...own, ...spread(known)]);
}

/** The longest input that the model is said to read, but no more tokens than any machine has memory for. */
export async function inputAtLimit(tokenizer: Tokenizer): Promise<Encoding> {
  const tokens = Math.min(tokenizer.maxTokens, MOST_TOKENS_AT_LIMIT);
  // Each word is a token at least.
  return cutTo(await tokenizer.encode({ text: 'one more '.repeat(tokens) }, 'end'), tokens);
}

/** The input with fewer tokens: the last one, which may be special, is kept. */
export function cutTo(encoding: Encoding, tokens: number): Encoding {
  const { ids, pairStart } = encoding;
  if (ids.length <= tokens) return encoding;
  const cut = ids.slice(0, tokens);
  cut.set(ids.subarray(ids.length - 1), tokens - 1);
  return {
    ids: cut,
    pairStart: pairStart >= ids.length ? tokens : Math.min(pairStart, tokens),
    truncated: true,
  };
}

function byLength(encodings: readonly Encoding[]): Encoding[] {
  return [...encodings].sort((a, b) => a.ids.length - b.ids.length);
}

/** Some of them, from the shortest to the longest. */
function spread(encodings: readonly Encoding[]): Encoding[] {
  if (encodings.length <= MOST_OF_A_KIND) return [...encodings];
  const step = (encodings.length - 1) / (MOST_OF_A_KIND - 1);
  return Array.from({ length: MOST_OF_A_KIND }, (_, index) => encodings[Math.round(index * step)]).filter(
    (encoding) => encoding !== undefined,
  );
}
