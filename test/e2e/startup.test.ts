import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, it } from 'node:test';
import { modelsDirectory } from '../support/models-directory.js';
import { type Ended, runToEnd } from '../support/run-to-end.js';
import { Service } from '../support/service.js';

const freePorts = {
  VERDICT_PORT: '0',
  VERDICT_HTTP_PORT: '0',
  VERDICT_ADMIN_PORT: '0',
  VERDICT_DEVICE: 'cpu',
};

/** Starts the server with settings that it cannot run with. */
function start(env: Record<string, string>, args: readonly string[] = []): Promise<Ended> {
  return runToEnd('dist/src/main.js', args, { env: { ...freePorts, ...env } });
}

describe('settings that cannot be used', () => {
  it('stop the start with code 2 and a sentence that names the setting, the value and what is allowed', async () => {
    const wrong = [
      [{ VERDICT_PORT: 'fifty' }, 'VERDICT_PORT is "fifty": it must be a whole number from 0 to 65535'],
      [
        { VERDICT_MAX_TEXT_CHARS: '0' },
        'VERDICT_MAX_TEXT_CHARS is 0: it must be a whole number from 1 to 1000000',
      ],
      [{ VERDICT_DEVICE: 'tpu' }, 'VERDICT_DEVICE is "tpu": it must be one of auto, cpu, cuda'],
      [{ VERDICT_DEFAULT_MODEL: 'No Name' }, 'VERDICT_DEFAULT_MODEL is "No Name": it must be a model name'],
      [{ REDIS_URL: 'http://redis' }, 'REDIS_URL'],
      [{ VERDICT_PROT: '50051' }, 'VERDICT_PROT'],
    ] as const;
    const ends = await Promise.all(wrong.map(([env]) => start(env)));
    for (const [number, { code, stdout, stderr }] of ends.entries()) {
      assert.deepEqual([code, stdout], [2, '']);
      assert.ok(stderr.includes(wrong[number]?.[1] ?? 'nothing'), stderr);
      assert.ok(!stderr.includes('    at '), 'no stack for what users can put right');
    }
  });

  it('are told all at once', async () => {
    const { code, stderr } = await start({ VERDICT_STREAM_WINDOW: '-1', VERDICT_LOG_LEVEL: 'loud' });
    assert.equal(code, 2);
    assert.match(stderr, /VERDICT_STREAM_WINDOW is -1: it must be a whole number from 1 to 4096/);
    assert.match(stderr, /VERDICT_LOG_LEVEL is "loud"/);
  });

  it('as flags are named as flags', async () => {
    const [wrongValue, unknown] = await Promise.all([
      start({}, ['--max-batch-inputs', 'many']),
      start({}, ['--max-batch-input', '3']),
    ]);
    assert.deepEqual([wrongValue.code, unknown.code], [2, 2]);
    assert.match(wrongValue.stderr, /--max-batch-inputs is "many": it must be a whole number from 1 to 4096/);
    assert.match(unknown.stderr, /--max-batch-input\b.*--max-batch-inputs/);
  });
});

describe('a start that fails', () => {
  it('for a port in use says so before it looks for a model, and names the setting', async () => {
    const occupant = createServer().listen(0, '127.0.0.1');
    await once(occupant, 'listening');
    const port = String((occupant.address() as AddressInfo).port);
    // A start that came as far as the models would fail at them.
    const models = { VERDICT_MODELS_DIR: '/nowhere/at/all' };
    try {
      const [grpc, http, admin] = await Promise.all([
        start({ ...models, VERDICT_PORT: port }),
        start({ ...models, VERDICT_HTTP_PORT: port }),
        start({ ...models, VERDICT_ADMIN_PORT: port }),
      ]);
      assert.deepEqual([grpc.code, http.code, admin.code], [1, 1, 1]);
      const sentence = (server: string, setting: string) =>
        `Could not start the ${server}: port ${port} on 127.0.0.1 is in use, perhaps by another Verdict; ` +
        `set another one with ${setting}\n`;
      assert.equal(grpc.stderr, sentence('gRPC server', 'VERDICT_PORT'));
      assert.equal(http.stderr, sentence('HTTP server', 'VERDICT_HTTP_PORT'));
      assert.equal(admin.stderr, sentence('admin server', 'VERDICT_ADMIN_PORT'));
    } finally {
      occupant.close();
    }
  });

  it('for an address that is not here names the setting', async () => {
    const { code, stderr } = await start({ VERDICT_HOST: '192.0.2.1', VERDICT_PORT: '50051' });
    assert.equal(code, 1);
    assert.match(stderr, /192\.0\.2\.1 is not an address of this machine; set another one with VERDICT_HOST/);
  });

  it('for a models folder that is not there, or holds no model, names the folder', async () => {
    const { path, remove } = await modelsDirectory([]);
    try {
      const [missing, empty] = await Promise.all([
        start({ VERDICT_MODELS_DIR: `${path}/nowhere` }),
        start({ VERDICT_MODELS_DIR: path }),
      ]);
      assert.deepEqual([missing.code, empty.code], [1, 1]);
      assert.ok(missing.stderr.includes(`${path}/nowhere`), missing.stderr);
      assert.ok(empty.stderr.includes(`${path}`), empty.stderr);
      assert.match(empty.stderr, /holds no model/);
    } finally {
      await remove();
    }
  });

  it('for a default model that is not among the models names those that are', async () => {
    const { path, remove } = await modelsDirectory(['topics', 'pairs']);
    try {
      const { code, stderr } = await start({ VERDICT_MODELS_DIR: path, VERDICT_DEFAULT_MODEL: 'sentiment' });
      assert.equal(code, 1);
      assert.match(stderr, /holds no default model sentiment, only pairs, topics/);
    } finally {
      await remove();
    }
  });

  it('for a default model that answers known inputs wrongly reports what differs', async () => {
    const { path, remove } = await modelsDirectory(['topics', 'broken']);
    try {
      const { code, stderr, stdout } = await start({
        VERDICT_MODELS_DIR: path,
        VERDICT_DEFAULT_MODEL: 'broken',
      });
      assert.equal(code, 1);
      assert.match(stderr, /Could not start the models: model broken, version 1: /);
      assert.match(stderr, /entry 0: the labels differ from the reference/);
      assert.ok(!stdout.includes('"serving"'), 'it never served');
    } finally {
      await remove();
    }
  });
});

describe('a start', () => {
  it('takes flags before the environment', async () => {
    const { code, stderr } = await start({ VERDICT_STREAM_WINDOW: '8' }, ['--stream-window', 'x']);
    assert.equal(code, 2);
    assert.match(stderr, /--stream-window is "x"/);
  });

  it('with limits of its own keeps them, and says so in the model description', async () => {
    const service = await Service.start(['topics'], {
      VERDICT_MAX_TEXT_CHARS: '10',
      VERDICT_MAX_BATCH_INPUTS: '2',
    });
    try {
      const { limits } = (await service.client.getModel('topics')).versions[0] ?? {};
      assert.deepEqual([limits?.maxTextChars, limits?.maxBatchInputs], [10, 2]);
      assert.equal((await service.client.classify('0123456789')).cache, 'miss');
      await assert.rejects(service.client.classify('0123456789a'), { code: 'INVALID_ARGUMENT' });
      await assert.rejects(service.client.classifyBatch(['a', 'b', 'c']), { code: 'INVALID_ARGUMENT' });
    } finally {
      await service.stop();
    }
  });

  it('explains its settings under --help', async () => {
    const { code, stdout } = await start({}, ['--help']);
    assert.equal(code, 0);
    for (const setting of ['--port', 'VERDICT_PORT', '--models-dir', 'REDIS_URL', '50051']) {
      assert.ok(stdout.includes(setting), setting);
    }
  });
});
