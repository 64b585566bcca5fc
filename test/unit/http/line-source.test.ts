import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { LineSource } from '../../../src/http/message-source.js';
import { RequestBody } from '../../../src/http/request-body.js';

/** What comes of a body that arrives in these pieces, if each message is followed by a wish for the next. */
async function outcomesOf(pieces: readonly string[], maxLineBytes: number): Promise<unknown[]> {
  // As much of a request as a body without a coding is read by.
  const content = Object.assign(new PassThrough(), { headers: {} });
  const outcomes: unknown[] = [];
  const next = (outcome: unknown) => {
    outcomes.push(outcome);
    source.want();
  };
  const source = new LineSource(
    new RequestBody(content as unknown as IncomingMessage, {} as ServerResponse, {
      compression: true,
      maxCompressionRatio: 200,
    }),
    {
      onMessage: next,
      onMalformed: ({ reason }) => next(reason),
      onLast: () => outcomes.push('last'),
      onUnusable: ({ message }) => outcomes.push(message),
      onHeldBytes() {},
    },
    maxLineBytes,
  );
  source.want();
  for (const piece of pieces) {
    content.write(piece);
    await turn();
  }
  content.end();
  await turn();
  return outcomes;
}

describe('lines of JSON', () => {
  it('are messages wherever the pieces end, and blank ones are none', async () => {
    const pieces = ['\n\n {"a"', ':1}\r', '\n \r\n', '  ', '\t{"b":2}\n7\nx\n', '\n{"c":3}   ', '\n   '];
    const messages = [{ a: 1 }, { b: 2 }, 7, 'MALFORMED_MESSAGE', { c: 3 }, 'last'];
    assert.deepEqual(await outcomesOf(pieces, 20), messages);
    assert.deepEqual(await outcomesOf(pieces.join('').split(''), 20), messages);
  });

  it('have at most so many bytes, with the blank ones before them', async () => {
    const refusal = 'a line of the body, or blank lines before it, have more than 20 bytes';
    assert.deepEqual(await outcomesOf(['x'.repeat(21)], 20), [refusal]);
    assert.deepEqual(await outcomesOf(['1\n', '\n'.repeat(21)], 20), [1, refusal]);
    assert.deepEqual(await outcomesOf([' '.repeat(15), '"123456"'], 20), [refusal]);
    assert.deepEqual(await outcomesOf(['\n'.repeat(20), '1\n', '\n'.repeat(20)], 20), [1, 'last']);
  });
});
