import type { AppliedActivation, ProblemType } from '../models/types.js';
import type { Activation, Prediction } from './types.js';

const DEFAULT_ACTIVATION = {
  single_label_classification: 'softmax',
  multi_label_classification: 'sigmoid',
  regression: 'none',
} as const satisfies Record<ProblemType, Activation>;

/** The activation that makes a model's output scores. @param asked undefined: the one that suits the model */
export function activationOf(
  model: { readonly problemType: ProblemType; readonly appliedActivation: AppliedActivation | undefined },
  asked?: Activation,
): Activation {
  // What the model has made of its logits stays as it is.
  if (model.appliedActivation !== undefined) return 'none';
  return asked ?? DEFAULT_ACTIVATION[model.problemType];
}

/** How logits become the predictions of one answer. */
export interface ScoreOptions {
  readonly activation: Activation;
  /** Predictions to return; 0: every label. */
  readonly topK: number;
  /** Applied before topK. */
  readonly minScore: number | undefined;
}

/**
 * Turns logits into predictions, best first, equal scores by ascending index.
 *
 * @param logits one value per label
 * @param labels the names, in the order of the logits
 */
export function predict(
  logits: Float32Array,
  labels: readonly string[],
  options: ScoreOptions,
): Prediction[] {
  const scores = activate(logits, options.activation);
  const topK = options.topK === 0 ? scores.length : Math.min(options.topK, scores.length);
  const order = topK === 1 ? [argmax(scores)] : descending(scores);
  const predictions: Prediction[] = [];
  for (const index of order) {
    const score = scores[index] ?? 0;
    if (predictions.length === topK || (options.minScore !== undefined && score < options.minScore)) break;
    predictions.push({ label: labels[index] ?? '', score, index });
  }
  return predictions;
}

/**
 * Turns logits into scores.
 * @param logits one value per label
 * @returns one score per label, in the same order
 */
export function activate(logits: Float32Array, activation: Activation): Float64Array {
  const scores = Float64Array.from(logits);
  if (activation === 'softmax') softmaxInPlace(scores);
  else if (activation === 'sigmoid')
    for (let i = 0; i < scores.length; i++) scores[i] = sigmoid(scores[i] ?? 0);
  return scores;
}

/** exp(x_i - max) / sum: subtracting the largest logit keeps exp from overflowing and changes no ratio. */
function softmaxInPlace(values: Float64Array): void {
  let max = Number.NEGATIVE_INFINITY;
  for (const value of values) if (value > max) max = value;
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    const exponential = Math.exp((values[i] ?? 0) - max);
    values[i] = exponential;
    sum += exponential;
  }
  for (let i = 0; i < values.length; i++) values[i] = (values[i] ?? 0) / sum;
}

function sigmoid(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}

function argmax(scores: Float64Array): number {
  let best = 0;
  for (let i = 1; i < scores.length; i++) if ((scores[i] ?? 0) > (scores[best] ?? 0)) best = i;
  return best;
}

function descending(scores: Float64Array): number[] {
  return Array.from(scores.keys()).sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b);
}
