import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';

/** What a result was measured on. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  /** Instruction sets that int8 inference profits from, such as `avx512_vnni` and `amx_int8`. */
  readonly int8Instructions: readonly string[];
  readonly memoryGiB: number;
  readonly os: string;
  readonly node: string;
  /** Versions of what the numbers depend on most. */
  readonly packages: Readonly<Record<string, string>>;
}

const MEASURED_PACKAGES = ['@grpc/grpc-js', 'onnxruntime-node', '@huggingface/tokenizers'];
const INT8_FLAGS = ['avx2', 'avx_vnni', 'avx512_vnni', 'amx_int8'];

export function describeMachine(): Machine {
  const manifest: { dependencies: Record<string, string> } = JSON.parse(
    readFileSync(fileURLToPath(new URL('../../package.json', import.meta.url)), 'utf8'),
  );
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    int8Instructions: int8Instructions(readCpuInfo()),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    os: `${process.platform} ${release()}`,
    node: process.version,
    packages: Object.fromEntries(
      MEASURED_PACKAGES.map((name) => [name, manifest.dependencies[name] ?? 'unknown']),
    ),
  };
}

/** @param cpuInfo the text of `/proc/cpuinfo` */
export function int8Instructions(cpuInfo: string): string[] {
  const flags = new Set(/^flags\s*:(.*)$/m.exec(cpuInfo)?.[1]?.trim().split(/\s+/));
  return INT8_FLAGS.filter((flag) => flags.has(flag));
}

function readCpuInfo(): string {
  try {
    return readFileSync('/proc/cpuinfo', 'utf8');
  } catch {
    return '';
  }
}
