import * as z from 'zod/mini';
import { choice, int, optionalText, text } from '../knob.js';
import { modelName, path } from '../text-rules.js';

/** Which models are served. */
export const models = z.object({
  dir: optionalText('models-dir', {
    defaultText: "the package's own `models/`",
    rule: path,
    doc: 'Folder that holds the models as `<model>/<version>/`; a relative path starts at the working directory.',
  }),
  default: text('default-model', {
    default: 'sentiment',
    rule: modelName,
    doc: 'Model that answers requests that name none.',
  }),
});

/** Where and how ONNX sessions run. */
export const runtime = z.object({
  device: choice('device', {
    default: 'auto',
    options: ['auto', 'cpu', 'cuda'],
    doc: 'Where models run; auto tries CUDA, logs why not and falls back to the CPU.',
  }),
  deviceId: int('device-id', { default: 0, min: 0, max: 63, doc: 'Number of the CUDA device.' }),
  precision: choice('precision', {
    default: 'auto',
    options: ['auto', 'fp32', 'int8', 'fp16'],
    doc: 'Precision of the weights; auto takes int8 on the CPU and fp16 on CUDA where the model has it and it agrees with the reference outputs.',
  }),
  instances: int('instances', {
    default: 0,
    min: 0,
    max: 64,
    unit: 'processes',
    doc: 'Sessions per model, each in a process of its own; 0 starts one, and on the CPU two more with half of its threads each where splitFromMs says so.',
  }),
  intraOpThreads: int('intra-op-threads', {
    default: 0,
    min: 0,
    max: 256,
    unit: 'threads',
    doc: 'CPU threads of one session; 0 shares the available cores among the instances.',
  }),
  splitFromMs: int('split-from-ms', {
    default: 4,
    min: 0,
    max: 3_600_000,
    unit: 'ms',
    doc: 'Where instances is 0: from this run time of a single text on, a model has two sessions of half the threads for what comes together, beside the one for a text that comes alone.',
  }),
  maxTokens: int('max-tokens', {
    default: 0,
    min: 0,
    max: 1_000_000,
    unit: 'tokens',
    doc: 'Tokens that any model reads of an input at most, special tokens included; longer inputs are cut or refused; 0 leaves each model its own limit.',
  }),
  runTimeoutMs: int('run-timeout-ms', {
    default: 30_000,
    min: 100,
    max: 3_600_000,
    unit: 'ms',
    doc: 'How long one batch may run; a session that takes longer counts as hung, and is killed and replaced.',
  }),
  selfTestIntervalMs: int('self-test-interval-ms', {
    default: 5_000,
    min: 0,
    max: 3_600_000,
    unit: 'ms',
    doc: 'Pause after which a session or tokeniser thread that has answered nothing meanwhile gets a short text of our own, so that one that hangs while idle is found and replaced; 0 tests nothing.',
  }),
});

/** Turning texts into tokens. */
export const tokenizer = z.object({
  workers: int('tokenizer-workers', {
    default: 1,
    min: 1,
    max: 64,
    unit: 'threads',
    doc: 'Threads that tokenise, shared by all models.',
  }),
});

/** How queued inputs become batches. */
export const batching = z.object({
  policy: choice('batch-policy', {
    default: 'length',
    options: ['length', 'fifo', 'window'],
    doc: 'What fills a batch: length takes the oldest input and those nearest to it in length, fifo the order of arrival, window the order of arrival after a fixed wait.',
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
    doc: 'Most padded tokens (longest input times inputs) in one batch; 0 takes what calibration at start found best.',
  }),
  maxDelayMs: int('batch-max-delay-ms', {
    default: 0,
    min: 0,
    max: 10_000,
    unit: 'ms',
    doc: 'How long a free session waits for a fuller batch, counted from the oldest input; 0 runs what is there.',
  }),
  maxAgeMs: int('batch-max-age-ms', {
    default: 1_000,
    min: 1,
    max: 600_000,
    unit: 'ms',
    doc: 'How long an input may wait before it goes ahead of younger ones, whatever their lengths.',
  }),
  lookAhead: int('batch-look-ahead', {
    default: 512,
    min: 1,
    max: 65_536,
    unit: 'inputs',
    doc: 'How many queued inputs to search for the nearest lengths.',
  }),
  maxRunMs: int('batch-max-run-ms', {
    default: 250,
    min: 0,
    max: 600_000,
    unit: 'ms',
    doc: 'Longest predicted run time of one batch; a lone input may take longer; 0 sets no cap.',
  }),
  maxRunPercent: int('batch-max-run-percent', {
    default: 25,
    min: 0,
    max: 100,
    unit: '%',
    doc: 'Longest predicted run time of one batch, in per cent of the tightest deadline that waits, or that interactive inputs had in the last 10 s; 0 sets no such cap.',
  }),
  interactiveWeight: int('batch-interactive-weight', {
    default: 4,
    min: 1,
    max: 1_000,
    doc: 'Tokens that the interactive class (unary calls) gets for each token of the bulk class (streams and batch calls) while both wait.',
  }),
  latencyObjectiveMs: int('latency-objective-ms', {
    default: 100,
    min: 1,
    max: 600_000,
    unit: 'ms',
    doc: 'Wait of an interactive input for a session that counts as full use: verdict_utilization, by which to scale, is 1 there.',
  }),
  maxQueueItems: int('max-queue-items', {
    default: 4096,
    min: 1,
    max: 10_000_000,
    unit: 'inputs',
    doc: 'Most inputs that may wait for one model; above it unary and batch calls are refused, and streams pause.',
  }),
  maxQueueTokens: int('max-queue-tokens', {
    default: 524_288,
    min: 1,
    max: 1_073_741_824,
    unit: 'tokens',
    doc: 'Most tokens that may wait for one model, with the same effect.',
  }),
});
