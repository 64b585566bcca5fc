import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { status } from '@grpc/grpc-js';
import type { ForgetRequest } from '../../../generated/verdict/v1/cache_service.js';
import { COMMANDS } from '../../../src/cli/commands.js';
import { run } from '../../../src/cli/run.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { type Behaviour, forgotten, grpcError, startTestServer } from '../client/test-server.js';
import { fakeContext } from './fake-context.js';

interface Options {
  readonly stdin?: string;
  readonly isTTY?: boolean;
  readonly forget?: Behaviour['forget'];
}

/** Runs `verdict cache forget` against a server, and keeps what it was asked. */
async function forget(t: TestContext, argv: readonly string[], options: Options = {}) {
  const asked: ForgetRequest[] = [];
  const server = await startTestServer({
    forget: (request) => {
      asked.push(request);
      return options.forget?.(request) ?? forgotten();
    },
  });
  t.after(() => server.close());
  const { stdin = '', isTTY = false } = options;
  const context = fakeContext({ stdin, isTTY });
  const commandLine = { version: '0', commands: COMMANDS, serve: async () => 0 };
  const code = await run(['cache', 'forget', '--address', server.address, ...argv], commandLine, context);
  return { code, asked, out: context.out(), err: context.err() };
}

const text = (value: string) => ({ model: '', caller: '', input: { $case: 'text', value } });

describe('verdict cache forget', () => {
  it('forgets the text on the command line', async (t) => {
    const { code, asked, out } = await forget(t, ['a text']);
    assert.equal(code, 0);
    assert.deepEqual(asked, [text('a text')]);
    assert.deepEqual(JSON.parse(out), {
      versions: [{ model: 'sentiment', version: '1', digest: 'sha256:00' }],
      removedFromMemory: 1,
      removedFromRedis: 2,
      othersExpireSeconds: 3_960,
    });
  });

  it('reads a text from a file or standard input, whole, but for the line break at its end', async (t) => {
    const path = join(temporaryFolder(t), 'letter.txt');
    writeFileSync(path, 'one line\r\n\r\nanother, of Zoë\r\n');
    assert.deepEqual((await forget(t, ['--input', path])).asked, [text('one line\r\n\r\nanother, of Zoë')]);
    const { asked } = await forget(t, ['--input', '-'], { stdin: ' as it is\n\n' });
    assert.deepEqual(asked, [text(' as it is\n')]);
  });

  it('takes a pair, a model and a caller', async (t) => {
    const argv = ['one', '--pair-input', '-', '--model', 'nli', '--caller', 'jwt:alice'];
    const { asked } = await forget(t, argv, { stdin: 'two' });
    const input = { $case: 'pair', value: { text: 'one', textPair: 'two' } };
    assert.deepEqual(asked, [{ model: 'nli', caller: 'jwt:alice', input }]);
  });

  it('says on a terminal what was there, and what is left', async (t) => {
    const { out } = await forget(t, ['a text'], { isTTY: true });
    assert.match(out, /^MODEL +VERSION +DIGEST\nsentiment +1 +sha256:00\n/);
    assert.match(out, /Removed 1 from the memory of this server, 2 from Redis\.\n/);
    assert.match(out, /leave Redis within 3960 s\.\n$/);
    const alone = () => forgotten({ removedFromRedis: 0, othersExpireSeconds: 0 });
    assert.doesNotMatch((await forget(t, ['a text'], { isTTY: true, forget: alone })).out, /within/);
  });

  it('refuses what makes no sense, asks nobody, and quotes no text', async (t) => {
    const path = join(temporaryFolder(t), 'bytes');
    writeFileSync(path, Buffer.from([0x73, 0x65, 0xff]));
    const long = join(temporaryFolder(t), 'long');
    writeFileSync(long, 'x'.repeat(3_000_001));
    for (const [argv, message] of [
      [[], /give a text, or --input FILE/],
      [['a', 'secret'], /give one text; quote it/],
      [['secret', '--input', path], /TEXT and --input exclude each other/],
      [['a', '--pair', 'secret', '--pair-input', path], /--pair and --pair-input exclude each other/],
      [['--input', '-', '--pair-input', '-'], /cannot both be standard input/],
      [['--input', path], /bytes is not UTF-8/],
      [['--input', long], /long is longer than any text/],
      [['--input', `${path}.none`], /cannot read .*bytes\.none/],
    ] as const) {
      const { code, asked, err } = await forget(t, argv);
      assert.equal(code, 2, err);
      assert.match(err, message);
      assert.doesNotMatch(err, /secret/);
      assert.deepEqual(asked, []);
    }
  });

  it('ends with 3 where the server refuses', async (t) => {
    const { code, out, err } = await forget(t, ['a text'], {
      forget: () =>
        grpcError(status.PERMISSION_DENIED, 'the scope admin is missing', { reason: 'MISSING_SCOPE' }),
    });
    assert.deepEqual([code, out], [3, '']);
    assert.match(err, /the scope admin is missing/);
  });
});
