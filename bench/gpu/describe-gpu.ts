import { execFile } from 'node:child_process';

/** What nvidia-smi says about the GPUs, in its own words; undefined without one that answers. */
export async function describeGpus(): Promise<readonly Readonly<Record<string, string>>[] | undefined> {
  const fields = ['name', 'driver_version', 'compute_cap', 'memory.total', 'power.limit', 'mig.mode.current'];
  const output = await new Promise<string | undefined>((resolve) => {
    execFile(
      'nvidia-smi',
      [`--query-gpu=${fields.join(',')}`, '--format=csv,noheader'],
      { timeout: 10_000, killSignal: 'SIGKILL' },
      (error, stdout) => resolve(error === null ? stdout : undefined),
    );
  });
  return output
    ?.trim()
    .split('\n')
    .map((line) => {
      const values = line.split(',').map((value) => value.trim());
      return Object.fromEntries(fields.map((field, index) => [field, values[index] ?? '']));
    });
}
