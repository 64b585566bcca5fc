import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cudaFailure } from './cuda-failure.js';
import { cudaLibraryPath } from './cuda-library.js';
import { sessionEnvironment } from './session-environment.js';
import type { CudaProbe } from './types.js';

const ENTRY = fileURLToPath(new URL('./cuda-probe-process.js', import.meta.url));

export interface ProbeCudaOptions {
  readonly deviceId: number;
  /** Time limit for the answer; the first use of a GPU can take seconds. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** Path of ONNX Runtime's CUDA provider. Default: in the package. */
  readonly libraryPath?: string;
}

/**
 * Computes a number on the GPU in a separate process: loading a provider library can crash, and it stays in memory. If
 * the library is not installed, the answer needs no process.
 * @throws the signal's reason
 */
export async function probeCuda(options: ProbeCudaOptions): Promise<CudaProbe> {
  options.signal?.throwIfAborted();
  const libraryPath = options.libraryPath ?? cudaLibraryPath();
  if (!existsSync(libraryPath)) {
    return {
      usable: false,
      reason: `ONNX Runtime's CUDA provider (${basename(libraryPath)}) is not installed`,
    };
  }
  const answer = await new Promise<CudaProbe>((resolve) => {
    const child = execFile(
      process.execPath,
      [ENTRY, String(options.deviceId)],
      {
        env: sessionEnvironment(process.env),
        timeout: options.timeoutMs,
        killSignal: 'SIGKILL',
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      },
      (error, stdout, stderr) => {
        if (error === null) resolve(withDetail(JSON.parse(stdout), stderr));
        else if (child.killed) resolve({ usable: false, reason: `no answer within ${options.timeoutMs} ms` });
        else
          resolve({
            usable: false,
            reason: `the probe ended with ${error.signal ?? error.code ?? 'an error'}`,
          });
      },
    );
  });
  options.signal?.throwIfAborted();
  return answer;
}

/** ONNX Runtime names the missing library only in its log. */
function withDetail(found: CudaProbe, log: string): CudaProbe {
  if (found.usable) return found;
  const reason = cudaFailure(found.reason);
  const detail = /with error: (.+)/.exec(log)?.[1];
  return { usable: false, reason: detail === undefined ? reason : `${reason} (${detail})` };
}
