import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { backoffMs } from '../../../src/runtime/backoff.js';
import { cudaFailure } from '../../../src/runtime/cuda-failure.js';
import { cudaLibraryPath } from '../../../src/runtime/cuda-library.js';
import { DeviceUnavailableError, decideDevice } from '../../../src/runtime/decide-device.js';
import { ReplyKind } from '../../../src/runtime/frames.js';
import { precisionCandidates } from '../../../src/runtime/precision-candidates.js';
import { probeCuda } from '../../../src/runtime/probe-cuda.js';
import { runFailureKind } from '../../../src/runtime/run-failure.js';
import { sessionEnvironment } from '../../../src/runtime/session-environment.js';
import { sessionOptions } from '../../../src/runtime/session-options.js';

const usable = () => Promise.resolve({ usable: true } as const);
const missing = () => Promise.resolve({ usable: false, reason: 'no library' } as const);

/** Any file that exists: with it the probe is made for real. */
const libraryPath = process.execPath;

describe('the device', () => {
  it('is not probed for where the CPU was asked for', async () => {
    const decision = await decideDevice('cpu', () => assert.fail('probed'));
    assert.deepEqual(decision, { device: 'cpu', fallbackReason: undefined });
  });

  it('is CUDA wherever CUDA works', async () => {
    for (const choice of ['auto', 'cuda'] as const) {
      assert.deepEqual(await decideDevice(choice, usable), { device: 'cuda', fallbackReason: undefined });
    }
  });

  it('falls to the CPU with the reason on auto, and fails on cuda', async () => {
    assert.deepEqual(await decideDevice('auto', missing), {
      device: 'cpu',
      fallbackReason: 'CUDA cannot be used: no library',
    });
    await assert.rejects(decideDevice('cuda', missing), (error) => {
      assert.ok(error instanceof DeviceUnavailableError);
      assert.match(error.message, /the device is set to cuda, but CUDA cannot be used: no library/);
      return true;
    });
  });

  it('is probed for real in a process of its own, which says why there is none', async () => {
    const found = await probeCuda({ deviceId: 4095, timeoutMs: 60_000, libraryPath });
    assert.ok(!found.usable);
    assert.match(found.reason, /cuda/i);
  });

  it('counts as unusable when the probe does not answer in time', async () => {
    const found = await probeCuda({ deviceId: 0, timeoutMs: 1, libraryPath });
    assert.deepEqual(found, { usable: false, reason: 'no answer within 1 ms' });
  });

  it('is known to be unusable without a process where its library is not installed', async () => {
    const found = await probeCuda({ deviceId: 0, timeoutMs: 1, libraryPath: '/nowhere/provider.so' });
    assert.deepEqual(found, {
      usable: false,
      reason: "ONNX Runtime's CUDA provider (provider.so) is not installed",
    });
  });

  it("is looked for in the folder of ONNX Runtime's own library", () => {
    assert.ok(existsSync(join(dirname(cudaLibraryPath()), 'onnxruntime_binding.node')));
  });

  it('is not waited for by a caller that gave up', async () => {
    const givingUp = new AbortController();
    const probing = probeCuda({ deviceId: 0, timeoutMs: 60_000, signal: givingUp.signal, libraryPath });
    givingUp.abort(new Error('stopped'));
    await assert.rejects(probing, /stopped/);
  });
});

describe('what CUDA says', () => {
  it('is told without the signatures and the host that ONNX Runtime puts around it', () => {
    const message =
      '/onnxruntime_src/onnxruntime/core/providers/cuda/cuda_call.cc:154 std::conditional_t<THRW, void, ' +
      'onnxruntime::common::Status> onnxruntime::CudaCall(ERRTYPE, const char*, int) [with ERRTYPE = cudaError; ' +
      'bool THRW = true; SUCCTYPE = cudaError] CUDA failure 35: CUDA driver version is insufficient for CUDA ' +
      'runtime version ; GPU=-1 ; hostname=vm ; file=cuda_execution_provider.cc ; line=352 ; ' +
      'expr=cudaSetDevice(info_.device_id); \n\n';
    assert.equal(
      cudaFailure(message),
      'CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version',
    );
    assert.equal(cudaFailure('it computes wrong results'), 'it computes wrong results');
  });
});

describe('the session options', () => {
  it('name the device, and leave the CPU to one thread where the GPU computes', () => {
    const cuda = sessionOptions({ device: 'cuda', deviceId: 2, intraOpThreads: 8 });
    assert.deepEqual(cuda.executionProviders, [{ name: 'cuda', deviceId: 2 }]);
    assert.equal(cuda.intraOpNumThreads, 1);
    const cpu = sessionOptions({ device: 'cpu', deviceId: 2, intraOpThreads: 8 });
    assert.deepEqual(cpu.executionProviders, ['cpu']);
    assert.equal(cpu.intraOpNumThreads, 8);
  });
});

describe('the precision', () => {
  it('is tried fastest first for the device, out of those that exist', () => {
    assert.deepEqual(precisionCandidates('auto', 'cpu', ['fp16', 'fp32', 'int8']), ['int8', 'fp32']);
    assert.deepEqual(precisionCandidates('auto', 'cuda', ['int8', 'fp32', 'fp16']), ['fp16', 'fp32']);
    assert.deepEqual(precisionCandidates('auto', 'cpu', ['fp32']), ['fp32']);
  });

  it('is int8 on CUDA where there is nothing else', () => {
    assert.deepEqual(precisionCandidates('auto', 'cuda', ['int8']), ['int8']);
    assert.deepEqual(precisionCandidates('auto', 'cuda', ['int8', 'fp32']), ['fp32']);
    assert.deepEqual(precisionCandidates('auto', 'cpu', ['fp16']), []);
  });

  it('is the one asked for, or none', () => {
    assert.deepEqual(precisionCandidates('fp32', 'cpu', ['int8', 'fp32']), ['fp32']);
    assert.deepEqual(precisionCandidates('fp16', 'cpu', ['int8', 'fp32']), []);
  });
});

describe('a failed run', () => {
  it('is out of memory by the words of the arenas, CUDA and cuBLAS, and failed by any others', () => {
    for (const message of [
      'bfc_arena.cc:376 Failed to allocate memory for requested buffer of size 268435456',
      'CUDA failure 2: out of memory ; GPU=0',
      'CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED',
      'std::bad_alloc',
    ]) {
      assert.equal(runFailureKind(message), ReplyKind.outOfMemory, message);
    }
    assert.equal(runFailureKind('indices element out of data bounds, idx=268'), ReplyKind.failed);
  });
});

describe('a session process', () => {
  it('gets what loaders and CUDA read from the environment, and nothing else', () => {
    const environment = {
      PATH: '/bin',
      LD_LIBRARY_PATH: '/cuda',
      CUDA_VISIBLE_DEVICES: '1',
      REDIS_URL: 'redis://user:secret@host',
      NODE_OPTIONS: '--inspect',
      NVM_DIR: '/nvm',
      UNSET: undefined,
    };
    assert.deepEqual(sessionEnvironment(environment), {
      ORT_DISABLE_TELEMETRY: '1',
      NVIDIA_TF32_OVERRIDE: '0',
      PATH: '/bin',
      LD_LIBRARY_PATH: '/cuda',
      CUDA_VISIBLE_DEVICES: '1',
    });
  });

  it('is replaced after 0.5 to 1 times a wait that doubles up to its cap', () => {
    const options = { initialMs: 100, maxMs: 5000, stableMs: 0 };
    assert.deepEqual(
      [1, 2, 3, 7, 1000].map((attempt) => backoffMs(options, attempt, () => 1)),
      [100, 200, 400, 5000, 5000],
    );
    assert.equal(
      backoffMs(options, 1, () => 0),
      50,
    );
  });
});
