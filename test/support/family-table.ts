import type { FamilyProof } from './family-proof.js';

const BEGIN = '<!-- Written by test/integration/models/families.test.ts: begin -->';
const END = '<!-- Written by test/integration/models/families.test.ts: end -->';

const BATCHES = { padded: 'any', equal_length: 'of one length', one_at_a_time: 'none' } as const;

/** The page with the table of what the proofs showed. */
export function withFamilyTable(page: string, proofs: readonly FamilyProof[]): string {
  const [before = '', rest = ''] = page.split(BEGIN);
  const [, after = ''] = rest.split(END);
  return `${before}${BEGIN}\n\n${familyTable(proofs)}\n\n${END}${after}`;
}

function familyTable(proofs: readonly FamilyProof[]): string {
  const head = [
    'Fixture',
    '`model_type`',
    'Tokenizer',
    'Inputs besides `input_ids`',
    'Labels',
    'Texts, pairs',
    'Inputs that share a batch',
    'Largest difference of a logit',
  ];
  const rows = proofs.map((proof) => [
    proof.name,
    `\`${proof.modelType}\``,
    `\`${proof.tokenizerClass}\``,
    proof.inputs
      .filter((name) => name !== 'input_ids')
      .map((name) => `\`${name}\``)
      .join(', '),
    String(proof.labels),
    `${proof.texts}, ${proof.pairs}`,
    BATCHES[proof.proof.batching],
    `≤ ${bound(proof.largestDifference)}`,
  ]);
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** The next power of ten: the last digits differ from machine to machine. */
function bound(difference: number): string {
  return ['1e-5', '1e-4'].find((power) => difference <= Number(power)) ?? '1e-3';
}
