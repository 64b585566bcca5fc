import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { deflateSync, gzipSync } from 'node:zlib';
import { type Encoding, Inflater } from '../../../src/rpc/inflater.js';
import { until } from '../../support/until.js';

const MAX_BYTES = 4 * 2 ** 20;

function inflate(inflater: Inflater, caller: object, body: Buffer, encoding: Encoding = 'gzip') {
  let cancel = () => {};
  const result = new Promise<string>((resolve) => {
    const done = (found: Buffer | string) =>
      resolve(typeof found === 'string' ? found : `${found.length} bytes`);
    cancel = inflater.inflate(caller, { body, encoding, maxBytes: MAX_BYTES, done });
  });
  return { result, cancel };
}

/** A gzip stream of blocks that hold nothing: it costs the time of its length, and nothing comes of it. */
function emptyBlocks(bytes: number): Buffer {
  const header = gzipSync('').subarray(0, 10);
  // A stored block of no bytes: not the last one, type 0, padding, length 0 and its complement.
  const block = Buffer.from([0, 0, 0, 0xff, 0xff]);
  const blocks = Buffer.alloc(bytes - (bytes % block.length), block);
  return Buffer.concat([header, blocks, Buffer.from([1, 0, 0, 0xff, 0xff]), Buffer.alloc(8)]);
}

describe('the inflater', () => {
  it('gives what was compressed, of any length, in either encoding', async () => {
    const inflater = new Inflater();
    for (const bytes of [0, 100, 5_000, 64 * 1024, 200_000, 3_000_000]) {
      for (const content of [randomBytes(bytes), Buffer.alloc(bytes, 'ab')]) {
        for (const [encoding, compress] of [
          ['gzip', gzipSync],
          ['deflate', deflateSync],
        ] as const) {
          const found = await new Promise((done) => {
            inflater.inflate({}, { body: compress(content), encoding, maxBytes: MAX_BYTES, done });
          });
          assert.ok(Buffer.isBuffer(found) && found.equals(content), `${bytes} bytes of ${encoding}`);
        }
      }
    }
  });

  it('says what is too large and what is broken', async () => {
    const inflater = new Inflater();
    const large = gzipSync(Buffer.alloc(MAX_BYTES + 1));
    assert.equal(await inflate(inflater, {}, large).result, 'too-large');
    const noise = gzipSync(randomBytes(200_000));
    for (const broken of [noise.subarray(0, 150_000), Buffer.concat([noise.subarray(0, 50_000), noise])]) {
      assert.equal(await inflate(inflater, {}, broken).result, 'malformed');
    }
    assert.equal(await inflate(inflater, {}, noise, 'deflate').result, 'malformed');
  });

  it('does not go on where nothing comes of much', async () => {
    assert.equal(await inflate(new Inflater(), {}, emptyBlocks(10_000)).result, '0 bytes');
    assert.equal(await inflate(new Inflater(), {}, emptyBlocks(1_500_000)).result, 'malformed');
  });

  it('takes the callers in turn: many messages of one hold up no other', async () => {
    const inflater = new Inflater();
    const ended: string[] = [];
    const body = gzipSync(Buffer.alloc(3_000_000, 'ab'));
    const note = (name: string) => () => void ended.push(name);
    const loud = {};
    const all = Array.from({ length: 20 }, () => inflate(inflater, loud, body).result.then(note('loud')));
    all.push(inflate(inflater, {}, body).result.then(note('quiet')));
    await Promise.all(all);
    assert.ok(ended.indexOf('quiet') < 5, `it came after ${ended.indexOf('quiet')} others`);
  });

  it('forgets what was given up, whether it waits or runs, and goes on with the others', async () => {
    const inflater = new Inflater();
    const body = gzipSync(randomBytes(1_000_000));
    const caller = {};
    let answers = 0;
    const jobs = Array.from({ length: 50 }, () => inflate(inflater, caller, body));
    for (const job of jobs) {
      void job.result.then(() => answers++);
      job.cancel();
      job.cancel();
    }
    assert.equal(await inflate(inflater, caller, body).result, '1000000 bytes');
    assert.equal(answers, 0);
    await until('an innocent one comes through', async () => {
      return (await inflate(inflater, {}, body).result) === '1000000 bytes';
    });
  });
});
