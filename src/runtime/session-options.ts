import type { InferenceSession } from 'onnxruntime-node';
import type { SessionSpec } from './types.js';

/**
 * How ONNX Runtime is set up.
 *
 * - One batch at a time: operators one after another, the threads inside each.
 * - Spinning off: idle threads that spin would take the cores that the server's own thread needs.
 * - Memory pattern off: it plans allocations per input shape, and the shapes here differ from batch to batch.
 * - Arena on: allocations of the run before are used again.
 * - Severity 3: errors only, on stderr.
 */
export function sessionOptions(
  spec: Pick<SessionSpec, 'device' | 'deviceId' | 'intraOpThreads'>,
): InferenceSession.SessionOptions {
  return {
    executionProviders: spec.device === 'cuda' ? [{ name: 'cuda', deviceId: spec.deviceId }] : ['cpu'],
    graphOptimizationLevel: 'all',
    executionMode: 'sequential',
    intraOpNumThreads: spec.intraOpThreads,
    interOpNumThreads: 1,
    enableCpuMemArena: true,
    enableMemPattern: false,
    logSeverityLevel: 3,
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  };
}
