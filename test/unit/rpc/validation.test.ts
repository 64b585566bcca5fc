import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VerdictError } from '../../../src/errors.js';
import { callDefaults, inputFrom, inputRequestFrom, type Violations } from '../../../src/rpc/validation.js';
import { textRequest } from '../../support/requests.js';

const limits = { maxTextChars: 20, maxBatchInputs: 4 };

/** What is wrong with a text; undefined: nothing. */
function problem(value: string): string | undefined {
  const violations: Violations = [];
  inputFrom({ $case: 'text', value }, '', limits, violations);
  return violations[0]?.description;
}

test('texts that hold something to see are accepted', () => {
  const texts = [
    'a',
    ' a',
    '.',
    '\u4e16\u754c',
    '\u{1f600}',
    '\ud83d\ude00'.repeat(10),
    'a\0b',
    '\0',
    '\u200ba',
    '\u0301',
  ];
  for (const text of texts) assert.equal(problem(text), undefined, JSON.stringify(text));
});

test('an empty text, white space of any script, and characters without a shape are refused', () => {
  assert.equal(problem(''), 'must not be empty');
  for (const text of [
    ' ',
    '\t\r\n',
    '\u00a0',
    '\u3000',
    '\u2028',
    '\u0085',
    '\u200b',
    '\ufeff',
    '\u2060 \u200d',
    '\ufe0f',
  ]) {
    assert.equal(problem(text), 'must hold more than white space', JSON.stringify(text));
  }
});

test('length is counted in UTF-16 units', () => {
  assert.equal(problem('x'.repeat(20)), undefined);
  assert.equal(problem('x'.repeat(21)), 'must have at most 20 UTF-16 units, has 21');
  assert.equal(problem('\u{1f600}'.repeat(11)), 'must have at most 20 UTF-16 units, has 22');
});

test('both texts of a pair are checked', () => {
  const violations: Violations = [];
  inputFrom(
    { $case: 'pair', value: { text: '', textPair: 'x'.repeat(21) } },
    'inputs[2].',
    limits,
    violations,
  );
  assert.deepEqual(
    violations.map(({ field }) => field),
    ['inputs[2].pair.text', 'inputs[2].pair.text_pair'],
  );
});

test('model names and versions follow their patterns', () => {
  const accepts = (rest: { model?: string; version?: string }): boolean => {
    try {
      inputRequestFrom(textRequest('a', rest), callDefaults, limits);
      return true;
    } catch (error) {
      assert.ok(error instanceof VerdictError && error.code === 'invalid_argument');
      return false;
    }
  };
  for (const model of ['', 'a', '0', 'a.b_c-d', 'a'.repeat(64)]) assert.ok(accepts({ model }), model);
  for (const model of ['A', '.a', '-', 'a b', 'a/b', 'a\n', 'a'.repeat(65)])
    assert.ok(!accepts({ model }), model);
  for (const version of ['', '1', '42', '9'.repeat(16), 'v1', 'champion', 'a.b_c-d', 'a'.repeat(64)])
    assert.ok(accepts({ version }), version);
  for (const version of ['0', '01', '-1', '1.0', '1a', 'V1', 'a b', 'a/b', 'a'.repeat(65), '9'.repeat(17)])
    assert.ok(!accepts({ version }), version);
});

test('without options an item asks for the best label and uses the cache', () => {
  assert.deepEqual(inputRequestFrom(textRequest('a'), callDefaults, limits).options, {
    topK: 1,
    minScore: undefined,
    activation: undefined,
    truncation: undefined,
    cache: 'use',
  });
});

test('options that are set replace the defaults whole', () => {
  const options = { topK: undefined, minScore: undefined, activation: 0, truncation: 0, cache: 0 } as const;
  const defaults = { model: 'm', options: { ...callDefaults.options, topK: 7, cache: 'bypass' } } as const;
  assert.deepEqual(
    inputRequestFrom(textRequest('a', { options }), defaults, limits).options,
    callDefaults.options,
  );
  assert.equal(inputRequestFrom(textRequest('a'), defaults, limits).options.topK, 7);
});
