import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { getPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { encodedText } from '../../../src/preprocessing/text-preprocessor.js';
import { SessionLostError, SessionOpenError, SessionRunError } from '../../../src/runtime/errors.js';
import { type OpenSessionOptions, openSession } from '../../../src/runtime/open-session.js';
import type { Session, SessionSpec } from '../../../src/runtime/types.js';
import { isAlive } from '../../support/child-processes.js';
import { until } from '../../support/until.js';
import { fixtureModel } from './fixture-session.js';

const LIMITS = { openTimeoutMs: 30_000, runTimeoutMs: 60_000 };

async function opened(
  t: TestContext,
  spec: SessionSpec,
  options?: Partial<OpenSessionOptions>,
): Promise<Session> {
  const session = await openSession(spec, { ...LIMITS, ...options });
  t.after(() => session.close());
  return session;
}

function assertClose(actual: Float32Array | undefined, expected: readonly number[] | undefined): void {
  assert.ok(actual !== undefined && expected !== undefined);
  assert.equal(actual.length, expected.length);
  for (const [index, value] of expected.entries()) {
    assert.ok(Math.abs((actual[index] ?? Number.NaN) - value) < 1e-3, `${actual[index]} is not ${value}`);
  }
}

describe('a session', () => {
  for (const name of ['topics', 'pairs', 'poison']) {
    it(`the logits of "${name}" are PyTorch's, row by row and padded into one batch`, async (t) => {
      const { spec, inputs, logits } = fixtureModel(name);
      const session = await opened(t, spec);
      for (const [index, input] of inputs.entries()) {
        const alone = await session.run([input]);
        assertClose(alone.logits[0], logits[index]);
      }
      const together = await session.run(inputs);
      assert.equal(together.logits.length, inputs.length);
      for (const [index, row] of together.logits.entries()) assertClose(row, logits[index]);
      assert.ok(together.runMs > 0);
    });
  }

  it('on the CPU makes way for the server where both want the same core', async (t) => {
    const { info } = await opened(t, fixtureModel('topics').spec);
    assert.equal(getPriority(info.pid), getPriority() + 5);
  });

  it('token types are sent only to a model that has them', async (t) => {
    assert.deepEqual((await opened(t, fixtureModel('topics').spec)).info.inputs, [
      'input_ids',
      'attention_mask',
    ]);
    const pairs = await opened(t, fixtureModel('pairs').spec);
    assert.ok(pairs.info.inputs.includes('token_type_ids'));
  });

  it('token types matter: a pair read as one text gets other logits', async (t) => {
    const { spec, inputs } = fixtureModel('pairs');
    const session = await opened(t, spec);
    const pair = inputs[0];
    assert.ok(pair !== undefined);
    const { logits } = await session.run([
      pair,
      { ...pair, tensors: { ...pair.tensors, token_type_ids: new Int32Array(0) } },
    ]);
    assert.notDeepEqual(logits[0], logits[1]);
  });

  it('the int8 model runs and agrees with the fp32 model on the best label', async (t) => {
    const { spec, inputs, logits } = fixtureModel('topics', 'model_quantized.onnx');
    const session = await opened(t, spec);
    const result = await session.run(inputs.slice(0, 2));
    const best = (row: ArrayLike<number> | undefined) =>
      Array.from(row ?? []).indexOf(Math.max(...Array.from(row ?? [])));
    for (const [index, row] of result.logits.entries()) assert.equal(best(row), best(logits[index]));
  });

  it('rows of a result do not share memory', async (t) => {
    const { spec, inputs } = fixtureModel('topics');
    const session = await opened(t, spec);
    const { logits } = await session.run(inputs.slice(0, 2));
    assert.notEqual(logits[0]?.buffer, logits[1]?.buffer);
    assert.equal(logits[0]?.buffer.byteLength, session.info.labelCount * 4);
  });

  it('a batch of any size follows one of any other size', async (t) => {
    const { spec, inputs, logits } = fixtureModel('topics');
    const session = await opened(t, spec);
    const short = inputs[5];
    assert.ok(short !== undefined);
    for (const rows of [1, 700, 2, 64, 1]) {
      const result = await session.run(Array.from({ length: rows }, () => short));
      for (const row of result.logits) assertClose(row, logits[5]);
    }
  });

  it('a poison row fails its batch in words for the log alone, and the session lives on', async (t) => {
    const { spec, inputs, logits } = fixtureModel('poison');
    const lines: string[] = [];
    const session = await opened(t, spec, { hooks: { onInstanceOutput: ({ line }) => lines.push(line) } });
    const sound = inputs[0];
    assert.ok(sound !== undefined);
    const poison = encodedText({ ids: Int32Array.of(2, 268, 3), pairStart: 3, truncated: false });
    await assert.rejects(session.run([sound, poison]), (error) => {
      assert.ok(error instanceof SessionRunError);
      assert.equal(error.message, 'ONNX Runtime refused the batch');
      assert.match(String(error.cause), /idx=268/);
      return true;
    });
    assertClose((await session.run([sound])).logits[0], logits[0]);
    await until('the error is told', () => lines.some((line) => line.includes('Gather')));
  });

  it('a killed process rejects the batch under way, tells the signal, and refuses later batches', async (t) => {
    const { spec, inputs } = fixtureModel('slow');
    const session = await opened(t, spec);
    const run = session.run(inputs);
    process.kill(session.info.pid, 'SIGKILL');
    await assert.rejects(run, SessionLostError);
    assert.equal(await session.lost, 'killed by SIGKILL');
    await assert.rejects(session.run(inputs), SessionLostError);
  });

  it('a process that hangs is killed when its time for a batch is over', async (t) => {
    const { spec, inputs } = fixtureModel('topics');
    const session = await opened(t, spec, { runTimeoutMs: 300 });
    process.kill(session.info.pid, 'SIGSTOP');
    await assert.rejects(session.run(inputs), /took longer than 300 ms over a batch and was killed/);
    assert.match(await session.lost, /took longer than 300 ms/);
    assert.equal(isAlive(session.info.pid), false);
  });

  it('signals meant for the server leave the process running', async (t) => {
    const { spec, inputs } = fixtureModel('topics');
    const session = await opened(t, spec);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(session.info.pid, signal);
    assert.equal((await session.run(inputs)).logits.length, inputs.length);
  });

  it('closing during a run waits for its answer, and the process is gone afterwards', async (t) => {
    const { spec, inputs } = fixtureModel('slow');
    const session = await opened(t, spec);
    const run = session.run(inputs.slice(0, 1));
    const closing = session.close();
    await assert.rejects(session.run(inputs), SessionLostError, 'a second batch is refused while closing');
    assert.equal((await run).logits.length, 1);
    await closing;
    assert.equal(await session.lost, 'closed');
    assert.equal(isAlive(session.info.pid), false);
  });

  it('a process that does not close in time is killed', async (t) => {
    const session = await opened(t, fixtureModel('topics').spec, { closeTimeoutMs: 100 });
    process.kill(session.info.pid, 'SIGSTOP');
    await session.close();
    assert.equal(isAlive(session.info.pid), false);
  });

  it('a close that is told to end at once does not wait for a process that hangs', async (t) => {
    const { spec, inputs } = fixtureModel('topics');
    const session = await opened(t, spec);
    process.kill(session.info.pid, 'SIGSTOP');
    const run = assert.rejects(session.run(inputs), SessionLostError);
    const force = new AbortController();
    const closing = session.close(force.signal);
    force.abort();
    await Promise.all([run, closing]);
    assert.equal(isAlive(session.info.pid), false);
  });

  it('two batches at once, and an empty batch, are mistakes of the caller', async (t) => {
    const { spec, inputs } = fixtureModel('topics');
    const session = await opened(t, spec);
    const run = session.run(inputs);
    await assert.rejects(session.run(inputs), /one batch at a time/);
    await run;
    await assert.rejects(session.run([]), /at least one row/);
  });

  it('a model of another width is refused with file, output and expectation', async () => {
    const { spec } = fixtureModel('topics');
    await assert.rejects(openSession({ ...spec, labelCount: 9 }, LIMITS), (error) => {
      assert.ok(error instanceof SessionOpenError);
      assert.equal(error.failure, 'contract');
      assert.equal(
        error.message,
        `${spec.modelPath}: output "logits" is 4 wide; expected 9, one for each label`,
      );
      return true;
    });
  });

  it('a missing file and one that is not ONNX are refused with the path', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'verdict-'));
    t.after(() => rm(folder, { recursive: true }));
    const notOnnx = join(folder, 'text.onnx');
    writeFileSync(notOnnx, 'not a protobuf');
    for (const modelPath of [join(folder, 'missing.onnx'), notOnnx]) {
      await assert.rejects(openSession({ ...fixtureModel('topics').spec, modelPath }, LIMITS), (error) => {
        assert.ok(error instanceof SessionOpenError);
        assert.equal(error.failure, 'load');
        assert.ok(error.message.startsWith(`${modelPath}: `));
        return true;
      });
    }
  });

  it('a process that cannot be started is an error, not a crash', async () => {
    const spec = { ...fixtureModel('topics').spec, modelPath: 'x'.repeat(1 << 20) };
    await assert.rejects(openSession(spec, LIMITS), (error) => {
      assert.ok(error instanceof SessionOpenError);
      assert.equal(error.failure, 'process');
      assert.match(error.message, /could not be started/);
      return true;
    });
  });

  it('opening ends when its time is over or its caller gives up', async () => {
    const { spec } = fixtureModel('topics');
    await assert.rejects(openSession(spec, { ...LIMITS, openTimeoutMs: 1 }), /took longer than 1 ms to open/);
    const givingUp = new AbortController();
    const opening = openSession(spec, { ...LIMITS, signal: givingUp.signal });
    givingUp.abort(new Error('not wanted any more'));
    await assert.rejects(opening, /not wanted any more/);
    await assert.rejects(openSession(spec, { ...LIMITS, signal: givingUp.signal }), /not wanted any more/);
  });

  it('CUDA asked for by name fails loudly where its library is missing', async () => {
    const spec = { ...fixtureModel('topics').spec, device: 'cuda' as const };
    await assert.rejects(openSession(spec, LIMITS), (error) => {
      assert.ok(error instanceof SessionOpenError);
      assert.equal(error.failure, 'load');
      assert.match(error.message, /cuda/i);
      return true;
    });
  });
});
