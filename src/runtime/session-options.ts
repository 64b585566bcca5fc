import type { InferenceSession } from 'onnxruntime-node';
import type { SessionSpec } from './types.js';

/**
 * The options of ONNX Runtime.
 *
 * - One batch at a time: operators one after another, the threads inside each.
 * - Spinning off: idle threads that spin would take the cores that the server's own thread needs.
 * - Dynamic blocks: a thread takes its next piece of an operator when it has finished the last one. The server's own
 *   thread shares the cores, and with equal pieces all threads would wait for the one that it interrupted.
 * - Memory pattern off: it plans allocations per input shape, and the shapes here differ from batch to batch.
 * - Arena on: it reuses the allocations of the previous run.
 * - Severity 3: errors only, on stderr.
 * - On CUDA one CPU thread: the operators run on the GPU, and the rest on the CPU, the arithmetic of shapes, is too
 *   small to share.
 *
 * docs/gpu.md says which options of the CUDA provider Node.js cannot set, docs/performance.md which are worth trying.
 */
export function sessionOptions(
  spec: Pick<SessionSpec, 'device' | 'deviceId' | 'intraOpThreads'>,
): InferenceSession.SessionOptions {
  return {
    executionProviders: spec.device === 'cuda' ? [{ name: 'cuda', deviceId: spec.deviceId }] : ['cpu'],
    graphOptimizationLevel: 'all',
    executionMode: 'sequential',
    intraOpNumThreads: spec.device === 'cuda' ? 1 : spec.intraOpThreads,
    interOpNumThreads: 1,
    enableCpuMemArena: true,
    enableMemPattern: false,
    logSeverityLevel: 3,
    extra: { session: { intra_op: { allow_spinning: '0' }, dynamic_block_base: '4' } },
  };
}
