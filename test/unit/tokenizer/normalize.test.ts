import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { normalize } from '../../../src/tokenizer/normalizers/normalize.js';

const FORMS = ['NFC', 'NFD', 'NFKC', 'NFKD'] as const;

/** Marks of many classes, marks that decompose into several, starters that compose with what is before them. */
const PARTS = [
  ...['\u0301', '\u0300', '\u0316', '\u0323', '\u031b', '\u0334', '\u0345', '\u0327', '\u035d', '\u0308'],
  ...['\u0340', '\u0343', '\u0344', '\u0f71', '\u0f73', '\u0f75', '\u0f81', '\u0f74', '\u05b0', '\u05c2'],
  ...['\u3099', '\u309a', '\uff9e', '\uff9f', '\u094d', '\u093c', '\u064b', '\u0651', '\u0670', '\u{1d165}'],
  ...['\u{1d16e}', '\u{1e8d0}', '\u{110ba}', '\u034f', '\u20e3', '\u0bbe', '\u0dcf', '\u0dca', '\u{1133e}'],
  ...['\u{1611e}', '\u{1611f}', '\u{16129}', '\u{113c2}', '\u{113c9}', '\u{113b8}'],
];
const STARTERS = [
  ...['a', 'e', 'é', 'ế', 'ﬁ', '\ufdfa', '\u1100', '\u1161', '\u11a8', '가', '\u0dd9', '\u0bc6', '\u{1d157}'],
  ...[
    '\u{16d67}',
    '\u{16d63}',
    '\u{11382}',
    '\ufb2a',
    'か',
    'ｶ',
    '\u212b',
    '\ufe71',
    '\u1ebf',
    '\ud800',
    '\udc00',
  ],
  ...['\ufffd', '😀', '\u0f40', '\u0958', '中', '\u{2f800}'],
];
const part = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...PARTS) },
  { weight: 1, arbitrary: fc.constantFrom(...STARTERS) },
);
const marks = fc.array(fc.constantFrom(...PARTS), { minLength: 60, maxLength: 150 });

/** A text with marks in any order, and many of them. */
const text = fc
  .array(fc.oneof(marks, fc.array(part, { maxLength: 150 }), fc.array(fc.string({ unit: 'binary' }))), {
    maxLength: 5,
  })
  .map((parts) => parts.flat().join(''));

function assertAlike(sample: string): void {
  for (const form of FORMS) {
    if (normalize(sample, form) !== sample.normalize(form)) assert.fail(`${form} ${pointsOf(sample)}`);
  }
}

/** Marks cannot be read where they are printed. */
const pointsOf = (sample: string) =>
  Array.from(sample, (character) => character.codePointAt(0)?.toString(16)).join(' ');

describe('the normal form of a text', () => {
  it('is that of the language, with marks in any order', () => {
    fc.assert(fc.property(text, assertAlike), { numRuns: 1000 });
  });

  it('is that of the language, wherever a long text is divided', () => {
    const units = fc.constantFrom(
      'a',
      'é',
      '\u0301\u0316',
      '\u{16d67}',
      '\u{1611e}',
      '\u1100\u1161',
      '\uff9e',
      '😀',
    );
    const long = fc
      .array(fc.tuple(fc.oneof(units, part), fc.integer({ min: 1, max: 2100 })), {
        minLength: 1,
        maxLength: 5,
      })
      .map((parts) => parts.map(([unit, times]) => unit.repeat(times)).join(''))
      .filter((sample) => sample.length > 4000);
    fc.assert(fc.property(long, assertAlike), { numRuns: 30 });
    for (let before = 4093; before < 4099; before++) {
      for (const unit of [...PARTS, ...STARTERS]) {
        assertAlike(`${'a'.repeat(before)}${unit.repeat(3)}\u0301\u0316${unit}`);
      }
    }
  });

  it('is that of the language for each character, many times between marks', () => {
    for (let point = 0; point <= 0x10ffff; point++) {
      const character = String.fromCodePoint(point);
      if (!/[\p{M}\p{Lm}]/u.test(character) && character.normalize('NFKD') === character) continue;
      assertAlike(`a${`${character}\u0316\u0301`.repeat(40)}`);
    }
  });

  it('of many marks of two classes by turns takes no time to speak of', { timeout: 60_000 }, () => {
    for (const unit of ['\u0301\u0316', '\u0344\u0316', '\u0f73\u0f71', '\uff9e\u0301', '\u{16d67}']) {
      for (const form of FORMS) {
        // Minutes, where marks are put in order by insertion.
        assert.ok(normalize(`a${unit.repeat(100_000)}`, form).length > 100_000);
      }
    }
  });
});
