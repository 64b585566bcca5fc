import type { Encoding } from '../tokenizer/types.js';

export type Device = 'cpu' | 'cuda';
export type Precision = 'fp32' | 'int8' | 'fp16';

/** What a session is opened with. */
export interface SessionSpec {
  /** ONNX file. */
  readonly modelPath: string;
  readonly device: Device;
  /** CUDA device number; unused on the CPU. */
  readonly deviceId: number;
  /** Threads inside one operator, CPU only. */
  readonly intraOpThreads: number;
  /** The id that pads `input_ids`. */
  readonly padId: number;
  /** Labels of the model: the width that its output must have; undefined: not known, the session finds out. */
  readonly labelCount: number | undefined;
}

/** What the session process read from the ONNX file. */
export interface SessionInfo {
  readonly pid: number;
  readonly device: Device;
  readonly inputs: readonly string[];
  /** Width of the output. */
  readonly labelCount: number;
  readonly loadMs: number;
}

export interface RunResult {
  /** One row of `labelCount` logits per encoding, in order. What the model computed: they may be NaN or infinite. */
  readonly logits: readonly Float32Array[];
  /** The ONNX run alone, in milliseconds, measured in the session process. */
  readonly runMs: number;
}

/** One ONNX session in a process of its own. Runs one batch at a time. */
export interface Session {
  readonly info: SessionInfo;
  /** Settles when the process is gone, with the reason in words. Never rejects. */
  readonly lost: Promise<string>;
  /**
   * Pads the encodings to the longest one and runs them.
   * @param limitMs how long that may take. Default: as long as any run
   * @throws SessionLostError when the process is gone or takes longer than its limit (it is then killed);
   *   SessionOutOfMemoryError; SessionRunError for a batch that ONNX Runtime refuses
   */
  run(encodings: readonly Encoding[], limitMs?: number): Promise<RunResult>;
  /** Ends the process at once, and the run under way with it, as if it had been lost. @param reason what `lost` tells */
  kill(reason: string): void;
  /**
   * Waits for the batch under way, releases the session and ends the process. When the signal aborts, the process is
   * killed.
   */
  close(signal?: AbortSignal): Promise<void>;
}

/** Events for telemetry and logs. None may throw. */
export interface RuntimeHooks {
  onInstanceReady?(instance: {
    readonly pid: number;
    readonly device: Device;
    readonly loadMs: number;
  }): void;
  onInstanceLost?(instance: { readonly pid: number | undefined; readonly reason: string }): void;
  onRestartScheduled?(restart: { readonly attempt: number; readonly delayMs: number }): void;
  /** A line that a session process, mostly ONNX Runtime in it, printed. Holds no text of callers. */
  onInstanceOutput?(output: { readonly pid: number | undefined; readonly line: string }): void;
}

/** What one GPU reports about itself; undefined where it does not tell, as some figures under MIG. */
export interface GpuReading {
  /** As nvidia-smi counts; a container counts the GPUs that it was given. */
  readonly index: number;
  readonly uuid: string;
  readonly memoryUsedBytes: number | undefined;
  readonly memoryTotalBytes: number | undefined;
  /** Share of the driver's last sample period (a sixth of a second to a second) in which a kernel ran, 0 to 1. */
  readonly utilization: number | undefined;
}
