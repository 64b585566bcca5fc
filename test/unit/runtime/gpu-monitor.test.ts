import assert from 'node:assert/strict';
import { appendFileSync, readFileSync } from 'node:fs';
import { chmod, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { GpuMonitor } from '../../../src/runtime/gpu-monitor.js';
import { parseGpuReadings } from '../../../src/runtime/gpu-readings.js';
import { isAlive } from '../../support/child-processes.js';
import { until } from '../../support/until.js';

const A10G = '0, GPU-6e34c5f2-0d7b-8a51-f7d9-bd0c1c2f4a10, 1234, 23028, 87';
const READING = {
  index: 0,
  uuid: 'GPU-6e34c5f2-0d7b-8a51-f7d9-bd0c1c2f4a10',
  memoryUsedBytes: 1234 * 1024 ** 2,
  memoryTotalBytes: 23_028 * 1024 ** 2,
  utilization: 0.87,
};

describe('the lines of nvidia-smi', () => {
  it('are one GPU each, in bytes and as a share', () => {
    const [first, second] = parseGpuReadings(`${A10G}\n1, GPU-1b, 0, 143771, 0\n`);
    assert.deepEqual(first, READING);
    assert.deepEqual(second, {
      index: 1,
      uuid: 'GPU-1b',
      memoryUsedBytes: 0,
      memoryTotalBytes: 143_771 * 1024 ** 2,
      utilization: 0,
    });
  });

  it('leave out what a GPU under MIG does not tell', () => {
    assert.deepEqual(parseGpuReadings('0, GPU-1b, [Insufficient Permissions], 40960, [N/A]'), [
      {
        index: 0,
        uuid: 'GPU-1b',
        memoryUsedBytes: undefined,
        memoryTotalBytes: 40_960 * 1024 ** 2,
        utilization: undefined,
      },
    ]);
  });

  it('are skipped where they are no GPU', () => {
    for (const rubbish of [
      '',
      'No devices were found',
      'NVIDIA-SMI has failed because it could not communicate with the NVIDIA driver.',
      'x, GPU-1b, 1, 2, 3',
      '0.5, GPU-1b, 1, 2, 3',
      '0, a"b\u0000, 1, 2, 3',
      '0, GPU-1b, 1, 2, 3, 4',
      '0',
    ]) {
      assert.deepEqual(parseGpuReadings(rubbish), [], JSON.stringify(rubbish));
    }
    assert.deepEqual(parseGpuReadings(`rubbish\n${A10G}\nmore, of, it`), [READING]);
  });

  it('count for one GPU each, and for no more than a machine can hold', () => {
    assert.equal(parseGpuReadings(`${A10G}\n${A10G}`).length, 1);
    const many = Array.from({ length: 1000 }, (_, index) => `${index}, GPU-${index}, 1, 2, 3`).join('\n');
    assert.equal(parseGpuReadings(many).length, 64);
  });

  it('never become a number that is none', () => {
    const [reading] = parseGpuReadings('0, GPU-1b, -1, 1e400, NaN');
    assert.deepEqual(reading, {
      index: 0,
      uuid: 'GPU-1b',
      memoryUsedBytes: undefined,
      memoryTotalBytes: undefined,
      utilization: undefined,
    });
  });
});

describe('the GPU monitor', () => {
  it('keeps what nvidia-smi says, and asks again', async (t) => {
    const { monitor, calls } = await monitored(t, `echo '${A10G}'`);
    await until('there are figures', () => monitor.readings.length > 0);
    assert.deepEqual(monitor.readings, [READING]);
    await until('it asked again', () => calls().length > 2);
    assert.match(calls()[0] ?? '', /--query-gpu=\S+ --format=csv,noheader,nounits/);
  });

  it('does not ask again where nvidia-smi is not installed', async (t) => {
    const reasons: string[] = [];
    const monitor = start(t, '/nowhere', reasons);
    await until('it was told', () => reasons.length > 0);
    assert.deepEqual(reasons, ['nvidia-smi is not installed']);
    assert.deepEqual(monitor.readings, []);
  });

  it('kills an nvidia-smi that hangs, says so once and tries again', async (t) => {
    const { monitor, reasons, calls, pids } = await monitored(t, 'exec sleep 60', 300);
    await until('it tried again', () => calls().length > 1);
    assert.deepEqual(reasons, ['nvidia-smi gave no answer within 300 ms']);
    assert.deepEqual(monitor.readings, []);
    assert.equal(isAlive(pids()[0] ?? 0), false);
  });

  it('forgets its figures when nvidia-smi fails later on, and takes new ones when it recovers', async (t) => {
    const { monitor, reasons, folder } = await monitored(
      t,
      `test -e "$(dirname "$0")/broken" && exit 9; echo '${A10G}'`,
    );
    await until('there are figures', () => monitor.readings.length > 0);
    appendFileSync(join(folder, 'broken'), '');
    await until('there are none', () => monitor.readings.length === 0);
    assert.deepEqual(reasons, ['nvidia-smi failed: code 9']);
    await rm(join(folder, 'broken'));
    await until('there are some again', () => monitor.readings.length > 0);
  });

  it('takes rubbish, and more of it than fits, for no answer', async (t) => {
    const rubbish = await monitored(t, 'head -c 3000 /dev/urandom');
    await until('it was told', () => rubbish.reasons.length > 0);
    assert.deepEqual(rubbish.reasons, ['nvidia-smi lists no GPU']);
    const flood = await monitored(t, 'exec yes');
    await until('it was told', () => flood.reasons.length > 0);
    assert.match(flood.reasons[0] ?? '', /nvidia-smi failed: code ERR_CHILD_PROCESS_STDIO_MAXBUFFER/);
    await until('it tried again', () => flood.calls().length > 1);
    assert.equal(isAlive(flood.pids()[0] ?? 0), false);
  });

  it('outlives a file that cannot be started at all', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'nvidia-smi-'));
    // A program that is being ended may still write its files.
    t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }));
    await symlink('nvidia-smi', join(folder, 'nvidia-smi'));
    const reasons: string[] = [];
    const monitor = start(t, folder, reasons);
    await until('it was told', () => reasons.length > 0);
    assert.deepEqual([monitor.readings, reasons], [[], ['nvidia-smi failed: code ELOOP']]);
    // In one step: where there is no file for a moment, nvidia-smi counts as not installed, for good.
    await writeFile(join(folder, 'mended'), `#!/bin/sh\necho '${A10G}'\n`, { mode: 0o755 });
    await rename(join(folder, 'mended'), join(folder, 'nvidia-smi'));
    await until('there are figures', () => monitor.readings.length > 0);
  });

  it('shows nvidia-smi no credential of the server', async (t) => {
    const { calls, folder } = await monitored(t, 'env > "$(dirname "$0")/environment"');
    await until('it was asked twice', () => calls().length > 1);
    assert.doesNotMatch(readFileSync(join(folder, 'environment'), 'utf8'), /REDIS_URL/);
  });

  it('ends a call under way when it is closed, and tells nothing any more', async (t) => {
    const { monitor, reasons, pids } = await monitored(t, 'exec sleep 60');
    await until('a call is under way', () => pids().length > 0);
    monitor.close();
    await until('nvidia-smi is gone', () => !isAlive(pids()[0] ?? 0));
    monitor.start();
    assert.deepEqual([monitor.readings, reasons], [[], []]);
    assert.equal(pids().length, 1);
  });
});

/** A monitor over an nvidia-smi of the test's own, which notes its calls. */
async function monitored(t: TestContext, script: string, timeoutMs = 30_000) {
  const folder = await mkdtemp(join(tmpdir(), 'nvidia-smi-'));
  // A program that is being ended may still write its files.
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }));
  const path = join(folder, 'nvidia-smi');
  await writeFile(path, `#!/bin/sh\necho "$$ $*" >> '${folder}/calls'\n${script}\n`);
  await chmod(path, 0o755);
  const reasons: string[] = [];
  const monitor = start(t, `${folder}:${process.env.PATH}`, reasons, timeoutMs);
  const calls = () => {
    try {
      return readFileSync(join(folder, 'calls'), 'utf8').trim().split('\n');
    } catch {
      return [];
    }
  };
  return { monitor, reasons, folder, calls, pids: () => calls().map((line) => Number.parseInt(line, 10)) };
}

function start(t: TestContext, path: string, reasons: string[], timeoutMs = 30_000): GpuMonitor {
  const monitor = new GpuMonitor({
    intervalMs: 5,
    timeoutMs,
    environment: { PATH: path, REDIS_URL: 'redis://user:secret@host' },
    onUnavailable: (reason) => reasons.push(reason),
  });
  t.after(() => monitor.close());
  monitor.start();
  return monitor;
}
