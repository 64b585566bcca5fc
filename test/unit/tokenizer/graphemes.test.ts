import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { graphemes } from '../../../src/tokenizer/normalizers/graphemes.js';

const segmenter = new Intl.Segmenter('und', { granularity: 'grapheme' });
const whole = (text: string) => Array.from(segmenter.segment(text), ({ segment }) => segment);

/** One of each kind that the rules tell apart, and what they join. */
const PARTS = [
  ...[
    'a',
    '\r',
    '\n',
    '\u0301',
    '\u200d',
    '\u200b',
    '🇩',
    '😀',
    '👍🏽',
    '🏽',
    '👨‍👩‍👧',
    '\u0600',
    '\u0903',
    '語',
  ],
  ...['\u1100', '\u1161', '\u11a8', '가', '각', 'क', '्', '\u093c', '\u{1e8d0}', '\u{111c2}', '\u{e0061}'],
  ...['\ud83d', '\ude00', '©', 'ｶ', '\uff9e', ' '],
];

describe('the graphemes of a text', () => {
  it('are those of the whole text, wherever its windows end', () => {
    const runs = fc.tuple(
      fc.array(fc.constantFrom(...PARTS), { minLength: 1, maxLength: 4 }),
      fc.oneof(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 300 })),
    );
    const text = fc
      .array(runs, { maxLength: 12 })
      .map((all) => all.map(([parts, times]) => parts.join('').repeat(times)).join(''));
    fc.assert(
      fc.property(text, (sample) => {
        assert.ok(whole(sample).join(' | ') === Array.from(graphemes(sample)).join(' | '));
      }),
      { numRuns: 300 },
    );
  });

  it('are told in a time that grows with the text', { timeout: 60_000 }, () => {
    for (const [unit, count] of [
      ['\u200b', 400_000],
      ['가', 400_000],
      ['🇩', 200_000],
      ['\u0301', 1],
      ['👨\u200d', 1],
    ] as const) {
      assert.equal(Array.from(graphemes(unit.repeat(400_000))).length, count);
    }
  });
});
