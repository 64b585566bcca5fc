/** ONNX Runtime wraps CUDA's own words into the C++ signatures of its helpers and the name of the host. */
const CUDA_WORDS = /((?:CUDA|CUDNN|CUBLAS|CURAND|CUFFT) failure -?\d+: [^;\n]+)/i;

/** What CUDA said, out of what ONNX Runtime made of it; a message that holds nothing of CUDA's stays as it is. */
export function cudaFailure(message: string): string {
  return CUDA_WORDS.exec(message)?.[1]?.trim() ?? message.trim();
}
