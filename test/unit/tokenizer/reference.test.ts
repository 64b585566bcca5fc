import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Pipeline } from '../../../src/tokenizer/pipeline.js';
import { withTokenizerClass } from '../../../src/tokenizer/transformers-class.js';
import { asTransformersReads } from '../../../src/tokenizer/transformers-config.js';
import { directTokenizer, encoded } from './fixture-tokenizer.js';
import {
  adapted,
  FAMILIES,
  newer,
  pairs,
  recordedConfigs,
  recordedOf,
  textAround,
  texts,
} from './recorded-tokenizers.js';

const UNASSIGNED = /\p{Cn}/u;
const isNoncharacter = (point: number) => (point & 0xfffe) === 0xfffe || (point >= 0xfdd0 && point <= 0xfdef);

/** Whether the running Node.js knows every character of a text: its Unicode version is not ours to choose. */
function isKnown(text: string): boolean {
  return Array.from(text).every(
    (character) => !UNASSIGNED.test(character) || isNoncharacter(character.codePointAt(0) ?? 0),
  );
}

/**
 * Code points that the Rust library, 0.23.3, takes for unassigned while a Node.js of Unicode 17 knows them, by the table
 * that makes the difference. Where marks, punctuation and controls of BERT are asked for, there is none: that table is ours.
 */
const LETTERS =
  '88f c5c cdc a7ce a7f1 10940 10ec5 11db0 16ea0 16ebb 16ff2 187f8 18d09 18d80 1e6c0 2b73a 2cea2 323b0';
const MARKS = '1acf 1ae0 10efa 11b60 1e6e3 1e6e6';
const NUMBERS = '11de0 16ff4';
/** Unicode 9, in the crate unicode-normalization-alignments: NFKC, NFKD; NFC. */
const DECOMPOSED = 'a7f1 a7f2 1ccd6 1ccd8 1ccf0 1e030 1f16c 1fbf0';
const COMPOSED = '113c2 1611e 16d67';
const KNOWN_DIFFERENCES: Readonly<Record<string, string>> = {
  'bert-sequence': `${DECOMPOSED} 10783 107a5 1e04c`,
  'bpe-fused': DECOMPOSED,
  // Unicode 16 in Oniguruma, which matches the patterns of Split and Replace.
  clip: `${LETTERS} ${NUMBERS} ${COMPOSED}`,
  gpt4: NUMBERS,
  gpt4o: NUMBERS,
  qwen2: `${NUMBERS} ${COMPOSED}`,
  splits: `${LETTERS} ${MARKS} a7d2 a7d4`,
  // Unicode 16 in the crate regex.
  whitespace: `${LETTERS} ${MARKS} ${NUMBERS} a7d2 a7d4`,
  // Unicode 9, NFD.
  'word-level': '105c9 105e4 11383 1138e 113c5 11938 16121 16d68',
};

function hexadecimal(points: readonly number[]): string[] {
  return points.toSorted((left, right) => left - right).map((point) => point.toString(16));
}

describe('token ids recorded from the Rust library', () => {
  it('are of at least 500 texts, which this Node.js knows but for a few', () => {
    assert.ok(texts.length > 500);
    assert.ok(texts.filter((text) => !isKnown(text)).length < 20);
  });

  for (const family of FAMILIES) {
    const { tokenizer: json, ids, newer: newerIds, pairs: pairIds } = recordedOf(family);
    const tokenizer = directTokenizer(100_000, json);
    const pipeline = new Pipeline(json);

    it(`are ours: ${family}`, () => {
      texts.forEach((text, index) => {
        if (!isKnown(text)) return;
        assert.deepEqual(
          Array.from(encoded(tokenizer, { text }, 'end').ids),
          ids[index],
          JSON.stringify(text),
        );
      });
    });

    it(`differ for these newer code points and no other: ${family}`, () => {
      const known = newer.filter((point) => isKnown(String.fromCodePoint(point)));
      const different = known.filter(
        (point) => pipeline.idsOf(textAround(point)).join() !== newerIds[newer.indexOf(point)]?.join(),
      );
      const expected = (KNOWN_DIFFERENCES[family] ?? '')
        .split(' ')
        .map((point) => Number.parseInt(point, 16))
        .filter((point) => known.includes(point));
      assert.deepEqual(hexadecimal(different), hexadecimal(expected));
    });

    it(`are framed alike in pairs: ${family}`, () => {
      pairs.forEach(([text, textPair], index) => {
        const { ids: got, pairStart } = encoded(tokenizer, { text, textPair }, 'end');
        const [expected, types] = pairIds[index] ?? [[], []];
        assert.deepEqual(Array.from(got), expected, text);
        const start = types.indexOf(1);
        assert.equal(pairStart, start < 0 ? got.length : start, text);
      });
    });

    it(`take a lone surrogate for U+FFFD: ${family}`, () => {
      for (const surrogate of ['\ud83d', '\ude00']) {
        for (const text of [`a${surrogate}b`, surrogate, ` ${surrogate}😀`, `[CLS]${surrogate}`]) {
          const proper = text.replace(surrogate, '\ufffd');
          const pair = [
            encoded(tokenizer, { text }, 'end'),
            encoded(tokenizer, { text: proper }, 'end'),
          ] as const;
          assert.deepEqual(pair[0].ids, pair[1].ids, JSON.stringify(text));
        }
      }
    });
  }
});

describe('a tokenizer_config.json that says something else than tokenizer.json', () => {
  for (const { family, model_type, config, ids } of recordedConfigs()) {
    it(`is obeyed as Transformers obeys it: ${family} of type ${model_type} with ${JSON.stringify(config)}`, () => {
      const effective = asTransformersReads(adapted(family), withTokenizerClass(config, { model_type }));
      const pipeline = new Pipeline(effective);
      ids.forEach((expected, index) => {
        const text = texts[index] ?? '';
        assert.deepEqual(pipeline.idsOf(text), expected, JSON.stringify(text));
      });
    });
  }
});
