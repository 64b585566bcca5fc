import type { Activation, Prediction } from './types.js';

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

function activate(logits: Float32Array, activation: Activation): Float64Array {
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
