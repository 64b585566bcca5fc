import type { Encoded, Feed } from './feeds.js';

export type Device = 'cpu' | 'cuda';
export type Precision = 'fp32' | 'int8' | 'fp16';

/** The parameters of a session. */
export interface SessionSpec {
  /** ONNX file. */
  readonly modelPath: string;
  readonly device: Device;
  /** CUDA device number; unused on the CPU. */
  readonly deviceId: number;
  /** Threads inside one operator, CPU only. */
  readonly intraOpThreads: number;
  /** The available feeds for the graph's inputs; the graph must take the first one. */
  readonly feeds: readonly Feed[];
  /** Number of labels: the required width of the output; undefined: not known, the session finds out. */
  readonly labelCount: number | undefined;
}

/** Facts that the session process read from the ONNX file. */
export interface SessionInfo {
  readonly pid: number;
  readonly device: Device;
  readonly inputs: readonly string[];
  /** Width of the output. */
  readonly labelCount: number;
  readonly loadMs: number;
}

export interface RunResult {
  /** One row of `labelCount` logits per input, in order. They may be NaN or infinite. */
  readonly logits: readonly Float32Array[];
  /** Duration of the ONNX run only, in milliseconds, measured in the session process. */
  readonly runMs: number;
}

/** One ONNX session in a separate process. Runs one batch at a time. */
export interface Session {
  readonly info: SessionInfo;
  /** Settles when the process is gone, with the reason in words. Never rejects. */
  readonly lost: Promise<string>;
  /**
   * Pads the inputs to the longest one and runs them.
   * @param limitMs time limit. Default: that of any run
   * @throws SessionLostError when the process is gone or takes longer than its limit (it is then killed);
   *   SessionOutOfMemoryError; SessionRunError for a batch that ONNX Runtime refuses
   */
  run(batch: readonly Encoded[], limitMs?: number): Promise<RunResult>;
  /**
   * Ends the process at once, and the run under way with it, as if it had been lost. @param reason reported by `lost`
   */
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
  /** A line printed by a session process, usually by ONNX Runtime. Contains no caller's text. */
  onInstanceOutput?(output: { readonly pid: number | undefined; readonly line: string }): void;
}

/** The readings of one GPU; a value that it does not report, as with MIG, is undefined. */
export interface GpuReading {
  /** The index in nvidia-smi; a container counts only its own GPUs. */
  readonly index: number;
  readonly uuid: string;
  readonly memoryUsedBytes: number | undefined;
  readonly memoryTotalBytes: number | undefined;
  /** Share of the driver's last sample period (a sixth of a second to a second) in which a kernel ran, 0 to 1. */
  readonly utilization: number | undefined;
}

/** Whether CUDA works here, and if not, why. */
export type CudaProbe = { readonly usable: true } | { readonly usable: false; readonly reason: string };
