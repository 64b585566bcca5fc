import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { redact } from '../../../src/telemetry/redact.js';

const cases: readonly (readonly [string, string])[] = [
  ['write to Jane.Doe+x@mail.example.co.uk, please', 'write to [email] please'],
  ['josé@exämple.de', '[email]'],
  ['我的邮箱是zhang@example.cn', '[email]'],
  ['root@localhost said so', '[email] said so'],
  ['call +44 20 7946 0958 or (415) 555-2671!', 'call +[number] or ([number]!'],
  ['٠٢٠ ٧٩٤٦ ٠٩٥٨', '[number]'],
  ['card 4111 1111 1111 1111, or 4242-4242-4242-4242', 'card [number], or [number]'],
  ['DE89 3704 0044 0532 0130 00', 'DE[number]'],
  ['my key is vk_search_AbCdEfGhIjKlMnOpQrStUvWxYz0123', 'my key is [key]'],
  ['AKIAIOSFODNN7EXAMPLE', '[key]'],
  ['eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dBjftJeZ4CVP', '[key]'],
  ['see https://example.com/reset?token=abc123 now', 'see [link] now'],
  ['www.bank.com/reset?token=abcd1234', '[link]'],
  ['jane＠example.com', '[email]'],
  ['4111, 1111, 1111, 1111 and 202·555·0143', '[number] and [number]'],
  ['I paid 12.50 for 2 tickets in 2019', 'I paid 12.50 for 2 tickets in 2019'],
  ['an extraordinarily long-winded conversation', 'an extraordinarily long-winded conversation'],
];

describe('a text for the log', () => {
  for (const [text, shown] of cases) {
    it(`shows ${JSON.stringify(shown)}`, () => assert.equal(redact(text, 1_000), shown));
  }

  it('shows as many characters as it may, and nothing of what is cut in two there', () => {
    assert.equal(redact('fantastic', 4), 'fant');
    for (let maxChars = 0; maxChars <= 20; maxChars++) {
      const shown = redact(`so ${'j'.repeat(60)}@example.com`, maxChars);
      assert.doesNotMatch(shown, /j/, `${maxChars} characters`);
    }
  });

  it('hides shapes of any length to their ends', () => {
    const cards = '4111 1111 1111 1111 5500 0000 0000 0004 3782 822463 10005'.repeat(9);
    assert.equal(redact(cards, 1_000), '[number]');
    for (let length = 2_000; length < 2_020; length++) {
      assert.equal(redact(`k1${'k'.repeat(length)} is it`, 4_000), '[key] is it');
      assert.equal(redact(`https://a.example/${'x'.repeat(length)} is it`, 4_000), '[link] is it');
    }
  });

  it('shows no half of a character', () => {
    assert.equal(redact('fine 😀😀', 6), 'fine ');
    assert.equal(redact('fine 😀😀', 7), 'fine 😀');
  });

  it('hides all of two shapes that overlap', () => {
    assert.equal(redact('a1234567@example.com/0123456789abcdef0123456789', 1_000), '[email]');
    assert.equal(redact('555 123 4567jane@example.com', 1_000), '[number]');
  });
});
