import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import { ArraySource } from '../../../src/http/message-source.js';
import { RequestBody } from '../../../src/http/request-body.js';

/** What the source of a body gives for one wish after the other, with the bytes that it says to hold after each. */
async function heldAfter(body: string): Promise<readonly (readonly [given: unknown, bytes: number])[]> {
  // As much of a request as a body without a coding is read by.
  const content = Object.assign(new PassThrough(), { headers: {} });
  const limits = { compression: true, maxCompressionRatio: 200 };
  const requestBody = new RequestBody(content as unknown as IncomingMessage, {} as ServerResponse, limits);
  const given: (readonly [unknown, number])[] = [];
  let bytes = 0;
  await new Promise<void>((resolve, reject) => {
    const source = new ArraySource(requestBody, {
      onMessage: (message) => {
        given.push([message, bytes]);
        source.want();
      },
      onMalformed: reject,
      onUnusable: reject,
      onLast: () => {
        given.push(['last', bytes]);
        resolve();
      },
      onHeldBytes: (held) => {
        bytes = held;
      },
    });
    source.want();
    content.end(body);
  });
  return given;
}

describe('an array of JSON', () => {
  it('holds what its values take, and less with each that is given', async () => {
    const held = await heldAfter(`[${Array(1000).fill('[{},{},{}]').join()}]`);
    // An empty object takes some 56 bytes: each of these four thousand counts as 64.
    assert.ok(Number(held[0]?.[1]) > 4000 * 64, `${held[0]?.[1]}`);
    for (const [at, [, bytes]] of held.slice(0, 1000).entries())
      if (at > 0) assert.ok(bytes < Number(held[at - 1]?.[1]));
    assert.deepEqual([held.length, held.at(-1)], [1001, ['last', 0]]);
  });

  it('may hold nothing, and null', async () => {
    assert.deepEqual(await heldAfter('[]'), [['last', 0]]);
    assert.deepEqual(
      (await heldAfter('[null, 7]')).map(([given]) => given),
      [null, 7, 'last'],
    );
  });
});
