import type { Encoded } from '../runtime/feeds.js';
import type { TextInput } from '../tokenizer/types.js';

/** Of known texts. */
const MOST_KNOWN = 8;

/** What any model is tried with: short and long, in several scripts, and pairs, which have other special tokens. */
export const PROBES: readonly TextInput[] = [
  { text: 'yes' },
  { text: 'No.' },
  { text: 'a good film' },
  { text: 'What a waste of time!' },
  { text: 'not bad at all, I would buy it again' },
  { text: 'Où est la gare la plus proche ?' },
  { text: '我的卡还没有到。' },
  { text: 'Order 4711 was paid twice; please send the money back to my card.' },
  {
    text:
      'The first half drags on without an aim, but the last twenty minutes, with their quiet music and the long walk ' +
      'back to the house by the sea, made up for all of it, and I left the cinema happier than I had come.',
  },
  { text: 'A man plays the guitar.', textPair: 'Somebody makes music.' },
  {
    text: 'Two children in red coats run across the wet grass of the park towards their dog.',
    textPair: 'The dog, which is asleep in the house, has never been to a park with the children.',
  },
];

/** Some of them, from the cheapest to the dearest. */
export function spreadByCost(inputs: readonly Encoded[]): Encoded[] {
  const sorted = [...inputs].sort((a, b) => a.cost - b.cost);
  if (sorted.length <= MOST_KNOWN) return sorted;
  const step = (sorted.length - 1) / (MOST_KNOWN - 1);
  return Array.from({ length: MOST_KNOWN }, (_, index) => sorted[Math.round(index * step)]).filter(
    (encoded) => encoded !== undefined,
  );
}
