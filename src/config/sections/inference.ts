import * as z from 'zod/mini';
import { choice, int, optionalText, text } from '../setting.js';
import { modelName, modelNames, modelVersions, path } from '../text-rules.js';

/** Which models are served. */
export const models = z.object({
  dir: optionalText('models-dir', {
    defaultText: "the package's own `models/`",
    rule: path,
    doc: 'Folder that holds the models as `<model>/<version>/`. A relative path starts at the working directory.',
  }),
  default: text('default-model', {
    default: 'sentiment',
    rule: modelName,
    doc: 'Model for requests that do not name one.',
  }),
  versions: text('model-versions', {
    default: 'latest',
    rule: modelVersions,
    doc: 'Which versions of each model are loaded and served: the latest, all in the folder, or those listed for a model. `all;intent=latest` means all versions of all models but intent. Each version needs memory of its own. Versions that the state file names are loaded too.',
  }),
  cacheSize: int('model-cache-size', {
    default: 3,
    min: 0,
    max: 10_000,
    unit: 'models',
    doc: 'Most models that are loaded at a time. Further ones are loaded when a request asks for them, and the least recently used model is unloaded. Pinned models count. 0 loads all models at the start.',
  }),
  memoryBytes: int('model-memory-bytes', {
    default: 0,
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
    unit: 'bytes',
    doc: 'Most resident memory that the session processes of all models may take, as Linux tells it. Beyond it, the least recently used model is unloaded. If it is set, only pinned models are loaded at the start. 0 means no limit.',
  }),
  pinned: optionalText('models-pinned', {
    defaultText: 'the default model alone',
    rule: modelNames,
    doc: 'Models that are loaded at the start and stay loaded, separated by commas. The default model always is one of them.',
  }),
  stateFile: optionalText('models-state-file', {
    defaultText: '`.state.json` in the models folder',
    rule: path,
    doc: 'File that keeps what was set through ModelService: traffic, aliases, shadows and rollback rules. A file that is damaged stops the start. A relative path starts at the working directory.',
  }),
  warmTexts: int('warm-texts', {
    default: 0,
    min: 0,
    max: 10_000,
    unit: 'texts',
    doc: 'How many of the latest texts of each model the server keeps, in memory alone, to run them through a new version before it takes over. Their answers are cached, and those that get other labels are counted. Takes a minute at most. 0 keeps none.',
  }),
  watch: choice('models-watch', {
    default: 'off',
    options: ['on', 'off'],
    doc: 'on: the server looks at the models folder and the state file every second, and takes over what has changed once two looks in a row see the same. Otherwise it does so on SIGHUP.',
  }),
});

/** Where and how ONNX sessions run. */
export const runtime = z.object({
  device: choice('device', {
    default: 'auto',
    options: ['auto', 'cpu', 'cuda'],
    doc: 'Where models run. auto tries CUDA; if CUDA fails, it logs why and uses the CPU.',
  }),
  deviceId: int('device-id', { default: 0, min: 0, max: 63, doc: 'Number of the CUDA device.' }),
  precision: choice('precision', {
    default: 'auto',
    options: ['auto', 'fp32', 'int8', 'fp16'],
    doc: 'Precision of the weights. auto takes int8 on the CPU and fp16 on CUDA if the model has those weights and they reproduce its known answers.',
  }),
  instances: int('instances', {
    default: 0,
    min: 0,
    max: 64,
    unit: 'processes',
    doc: 'Sessions per model, each in its own process. 0 starts one; on the CPU, splitFromMs may add two more with half the threads each.',
  }),
  intraOpThreads: int('intra-op-threads', {
    default: 0,
    min: 0,
    max: 256,
    unit: 'threads',
    doc: 'CPU threads per session. 0 shares the available cores among the instances.',
  }),
  splitFromMs: int('split-from-ms', {
    default: 4,
    min: 0,
    max: 3_600_000,
    unit: 'ms',
    doc: 'Run time of a single text from which a model gets two more sessions with half the threads each. They run inputs that arrive together; the first session runs an input that arrives alone. Only used if instances is 0.',
  }),
  maxTokens: int('max-tokens', {
    default: 0,
    min: 0,
    max: 1_000_000,
    unit: 'tokens',
    doc: 'Most tokens that any model reads of one input, including special tokens. Longer inputs are truncated or refused. 0 leaves each model its own limit.',
  }),
  runTimeoutMs: int('run-timeout-ms', {
    default: 30_000,
    min: 100,
    max: 3_600_000,
    unit: 'ms',
    doc: 'How long one batch may run. A session that takes longer is considered hung, and is killed and replaced.',
  }),
  selfTestIntervalMs: int('self-test-interval-ms', {
    default: 5_000,
    min: 0,
    max: 3_600_000,
    unit: 'ms',
    doc: 'How long a session or tokeniser thread may be idle before the server sends it a short test input. One that hangs while idle is found this way and replaced. 0 turns the test off.',
  }),
});

/** Turning texts into tokens. */
export const tokenizer = z.object({
  workers: int('tokenizer-workers', {
    default: 1,
    min: 1,
    max: 64,
    unit: 'threads',
    doc: 'Tokeniser threads, shared by all models.',
  }),
});

/** How queued inputs become batches. */
export const batching = z.object({
  policy: choice('batch-policy', {
    default: 'length',
    options: ['length', 'fifo', 'window'],
    doc: 'How batches are filled. length takes the oldest input and the inputs closest to it in length; fifo takes inputs in order of arrival; window does so after a fixed wait.',
  }),
  maxItems: int('batch-max-items', {
    default: 256,
    min: 1,
    max: 65_536,
    unit: 'inputs',
    doc: 'Most inputs in one batch.',
  }),
  budgetTokens: int('batch-budget-tokens', {
    default: 0,
    min: 0,
    max: 16_777_216,
    unit: 'tokens',
    doc: 'Most padded tokens (longest input times number of inputs) in one batch. 0 takes the value that calibration found best at start.',
  }),
  maxDelayMs: int('batch-max-delay-ms', {
    default: 0,
    min: 0,
    max: 10_000,
    unit: 'ms',
    doc: 'How long a free session waits for a fuller batch, counted from the arrival of the oldest input. 0 runs what is there.',
  }),
  maxAgeMs: int('batch-max-age-ms', {
    default: 1_000,
    min: 1,
    max: 600_000,
    unit: 'ms',
    doc: 'How long an input may wait before it goes ahead of later ones, whatever their lengths.',
  }),
  lookAhead: int('batch-look-ahead', {
    default: 512,
    min: 1,
    max: 65_536,
    unit: 'inputs',
    doc: 'How many queued inputs to search for the closest lengths.',
  }),
  maxRunMs: int('batch-max-run-ms', {
    default: 250,
    min: 0,
    max: 600_000,
    unit: 'ms',
    doc: 'Longest predicted run time of one batch. A single input may take longer. 0 means no limit.',
  }),
  maxRunPercent: int('batch-max-run-percent', {
    default: 25,
    min: 0,
    max: 100,
    unit: '%',
    doc: 'Longest predicted run time of one batch, as a percentage of the tightest deadline: that of a waiting input, or of an interactive input in the last 10 s. 0 means no such limit.',
  }),
  interactiveWeight: int('batch-interactive-weight', {
    default: 4,
    min: 1,
    max: 1_000,
    doc: 'Tokens that the interactive class (unary calls) gets for each token of the bulk class (streams and batch calls) while both are waiting.',
  }),
  latencyObjectiveMs: int('latency-objective-ms', {
    default: 100,
    min: 1,
    max: 600_000,
    unit: 'ms',
    doc: 'How long an interactive input may wait for a session. verdict_utilization, the metric to scale on, reaches 1 at this wait.',
  }),
  maxQueueItems: int('max-queue-items', {
    default: 4096,
    min: 1,
    max: 10_000_000,
    unit: 'inputs',
    doc: 'Most inputs that may wait for one model. Beyond it, unary and batch calls are refused, and streams pause. Bulk inputs may fill at most three quarters of it.',
  }),
  maxQueueTokens: int('max-queue-tokens', {
    default: 524_288,
    min: 1,
    max: 1_073_741_824,
    unit: 'tokens',
    doc: 'Most tokens that may wait for one model, with the same effect.',
  }),
});
