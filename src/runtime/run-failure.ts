import { ReplyKind } from './frames.js';

/**
 * The messages of ONNX Runtime and CUDA when memory runs out: the CPU and CUDA arenas ("Failed to allocate memory for
 * requested buffer"), the CUDA runtime ("out of memory"), cuBLAS and cuDNN ("..._ALLOC_FAILED"), and the C++ allocator
 * ("std::bad_alloc"). Errors have no code, only a message.
 */
const OUT_OF_MEMORY = /failed to allocate memory|out of memory|alloc_failed|bad_alloc/i;

/** Whether a failed run ran out of memory, so that a smaller batch may succeed, or failed for another reason. */
export function runFailureKind(message: string): ReplyKind {
  return OUT_OF_MEMORY.test(message) ? ReplyKind.outOfMemory : ReplyKind.failed;
}
