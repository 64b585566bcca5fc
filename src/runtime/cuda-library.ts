import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/**
 * Where ONNX Runtime looks for its CUDA provider: only beside its own library. The package has the file only if its
 * install script has fetched it.
 */
export function cudaLibraryPath(): string {
  const entry = createRequire(import.meta.url).resolve('onnxruntime-node');
  const name =
    process.platform === 'win32' ? 'onnxruntime_providers_cuda.dll' : 'libonnxruntime_providers_cuda.so';
  return join(dirname(entry), '..', 'bin', 'napi-v6', process.platform, process.arch, name);
}
