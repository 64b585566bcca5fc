/** ONNX Runtime wraps CUDA's own words into the C++ signatures of its helpers and the name of the host. */
const CUDA_WORDS = /((?:CUDA|CUDNN|CUBLAS|CURAND|CUFFT) failure -?\d+: [^;\n]+)/i;

/** CUDA's own message, extracted from ONNX Runtime's; a message without one stays unchanged. */
export function cudaFailure(message: string): string {
  return CUDA_WORDS.exec(message)?.[1]?.trim() ?? message.trim();
}
