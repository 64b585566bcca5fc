import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { summarize } from '../../../bench/gpu/gpu-sampler.js';
import { GpuBenchUsageError, parseGpuBenchOptions } from '../../../bench/gpu/options.js';
import { divide } from '../../../bench/gpu/served-passes.js';

describe('the GPU bench', () => {
  it('measures base on CUDA in fp32 and fp16, from 1 to 1,024 in flight, unless told otherwise', () => {
    const options = parseGpuBenchOptions([]);
    assert.ok(options !== 'help');
    assert.equal(options.device, 'cuda');
    assert.equal(options.model, 'base');
    assert.deepEqual(options.precisions, ['fp32', 'fp16']);
    assert.deepEqual(options.inFlight, [1, 8, 32, 64, 128, 256, 512, 1024]);
    assert.equal(parseGpuBenchOptions(['--help']), 'help');
  });

  it('names the flag that it cannot follow', () => {
    for (const [argv, message] of [
      [['--device', 'tpu'], /--device: 'tpu' is none of cuda, cpu/],
      [['--in-flight', '1,0'], /--in-flight: '0' is not a whole number from 1/],
      [['--seconds', '1e3'], /--seconds: '1e3'/],
      [['--precisions', 'fp8'], /--precisions: 'fp8' is none of/],
      [['--nonsense'], /nonsense/],
    ] as const) {
      assert.throws(
        () => parseGpuBenchOptions(argv),
        (error) => error instanceof GpuBenchUsageError && message.test(error.message),
      );
    }
  });

  it('shares what is in flight among its clients, one apart at most', () => {
    assert.deepEqual(divide(1024, 4), [256, 256, 256, 256]);
    assert.deepEqual(divide(8, 3), [2, 3, 3]);
    assert.deepEqual(divide(1, 1), [1]);
  });

  it('sums up what the GPU said, and nothing where it said nothing', () => {
    const gpu = { index: 0, uuid: 'GPU-a', memoryTotalBytes: 100 };
    assert.deepEqual(
      summarize([
        { ...gpu, memoryUsedBytes: 10, utilization: 0.5 },
        { ...gpu, memoryUsedBytes: 30, utilization: 1 },
        { ...gpu, memoryUsedBytes: undefined, utilization: undefined },
      ]),
      { samples: 3, meanUtilization: 0.75, maxMemoryUsedBytes: 30 },
    );
    assert.deepEqual(summarize([]), {
      samples: 0,
      meanUtilization: undefined,
      maxMemoryUsedBytes: undefined,
    });
  });
});
