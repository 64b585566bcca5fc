/**
 * The part of the server's environment that a session process gets: variables that loaders, CUDA and ONNX Runtime read.
 * The rest stays out, above all credentials and `NODE_OPTIONS` (a debugger's port, a profiler).
 */
const PASSED_ON =
  /^(PATH|HOME|TMPDIR|TZ|LANG|LC_ALL|LD_LIBRARY_PATH|LD_PRELOAD|(CUDA|CUDNN|NVIDIA|NV|ORT|MALLOC|OMP)_\w+)$/;

/**
 * Defaults that the server's environment can override. Without the second one, the CUDA provider multiplies fp32
 * matrices on an Ampere or newer GPU in TF32, with ten bits of mantissa, and fp32 weights may miss their known answers.
 * Node.js can set no option of the provider except the device.
 */
const PRESET = { ORT_DISABLE_TELEMETRY: '1', NVIDIA_TF32_OVERRIDE: '0' };

/** Picks the variables of `environment` that a session process may see. */
export function sessionEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const picked: Record<string, string> = { ...PRESET };
  for (const [name, value] of Object.entries(environment)) {
    if (value !== undefined && PASSED_ON.test(name)) picked[name] = value;
  }
  return picked;
}
