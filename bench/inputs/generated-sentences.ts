import type { Random } from './random.js';
import type { Sources } from './sources.js';

const SUBJECTS =
  'the film,this story,my card,the new account,a quiet drama,the payment,our second visit,her last book'.split(
    ',',
  );
const VERBS =
  'was,is still,never became,has always been,will soon be,turned out,looks,felt surprisingly'.split(',');
const JUDGEMENTS = 'brilliant,too slow,missing,charming,declined,hard to follow,worth it,a waste'.split(',');
const TAILS =
  'in the end,for a week now,and nobody knows why,although we waited,from start to finish,at the bank,on the screen,without any reason'.split(
    ',',
  );

const COUNT = 6_000;

/** Sentences out of a few parts, for where the data sets are not at hand: enough to prove that the suite works. */
export function generatedSources(random: Random): Sources {
  const pick = (words: readonly string[]) => words[Math.floor(random() * words.length)] ?? '';
  const sentence = () => {
    const tails = Array.from({ length: Math.floor(random() * 5) }, () => pick(TAILS));
    return `${[pick(SUBJECTS), pick(VERBS), pick(JUDGEMENTS), ...tails].join(' ')} .`;
  };
  return {
    description: 'generated sentences',
    generated: true,
    sst2: Array.from({ length: COUNT }, sentence),
    banking77: Array.from({ length: COUNT }, sentence),
  };
}
