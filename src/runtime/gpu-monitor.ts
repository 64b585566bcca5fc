import { type ChildProcess, type ExecFileException, execFile } from 'node:child_process';
import { GPU_QUERY, parseGpuReadings } from './gpu-readings.js';
import { sessionEnvironment } from './session-environment.js';
import type { GpuReading } from './types.js';

const MAX_OUTPUT_BYTES = 64 * 1024;

export interface GpuMonitorOptions {
  /** From one answer of nvidia-smi to the next question, in milliseconds. */
  readonly intervalMs: number;
  /** Time after which nvidia-smi counts as hung and is killed, in milliseconds. */
  readonly timeoutMs: number;
  /** Where to look for nvidia-smi (`PATH`). Default: the server's own environment. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** nvidia-smi cannot be used, or no longer; not repeated until it works again. Must not throw. */
  readonly onUnavailable?: (reason: string) => void;
}

/**
 * Asks nvidia-smi about the GPUs at intervals: with short calls rather than one process that prints for ever, so that a
 * hanging driver, buffered output or a killed server leaves nothing behind. At most one call is under way. If
 * nvidia-smi is not installed, it is not called again.
 */
export class GpuMonitor {
  readonly #options: GpuMonitorOptions;
  #readings: readonly GpuReading[] = [];
  #child: ChildProcess | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failing = false;
  #closed = false;

  constructor(options: GpuMonitorOptions) {
    this.#options = options;
  }

  /** The latest readings; empty before the first answer and while nvidia-smi fails. */
  get readings(): readonly GpuReading[] {
    return this.#readings;
  }

  /** Starts asking. A second call does nothing. */
  start(): void {
    if (!this.#closed && this.#child === undefined && this.#timer === undefined) this.#ask();
  }

  /** Stops asking, and ends a call under way. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#child?.kill('SIGKILL');
    this.#readings = [];
  }

  #ask(): void {
    const { environment = process.env, timeoutMs } = this.#options;
    // The readings before a hang are out of date: the timeout clears them.
    const hung = setTimeout(() => this.#fail(`nvidia-smi gave no answer within ${timeoutMs} ms`), timeoutMs);
    hung.unref();
    const settle = (error: ExecFileException | null, stdout: string) => {
      clearTimeout(hung);
      this.#child = undefined;
      if (this.#closed) return;
      if (error?.code === 'ENOENT') {
        this.#fail('nvidia-smi is not installed');
        return;
      }
      this.#accept(error, stdout);
      this.#timer = setTimeout(() => this.#ask(), this.#options.intervalMs).unref();
    };
    try {
      this.#child = execFile(
        'nvidia-smi',
        [...GPU_QUERY],
        {
          env: sessionEnvironment(environment),
          timeout: timeoutMs,
          killSignal: 'SIGKILL',
          maxBuffer: MAX_OUTPUT_BYTES,
        },
        settle,
      );
    } catch (error) {
      // Node.js throws some failures to start a program at once, such as a file that is not a program.
      settle(error as ExecFileException, '');
    }
  }

  #accept(error: ExecFileException | null, stdout: string): void {
    if (error !== null) {
      this.#fail(`nvidia-smi failed: ${outcome(error)}`);
      return;
    }
    const readings = parseGpuReadings(stdout);
    if (readings.length === 0) {
      this.#fail('nvidia-smi lists no GPU');
      return;
    }
    this.#failing = false;
    this.#readings = readings;
  }

  #fail(reason: string): void {
    this.#readings = [];
    if (this.#failing || this.#closed) return;
    this.#failing = true;
    this.#options.onUnavailable?.(reason);
  }
}

/** How the process ended. Its output stays out of the log: it could be anything. */
function outcome({ code, signal }: ExecFileException): string {
  return signal ? `ended by ${signal}` : `code ${String(code)}`;
}
