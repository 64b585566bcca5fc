import type { ClassifierHooks } from '../classify/types.js';
import type { Tracing } from '../tracing/open-tracing.js';

/** The events of inputs go to the metrics, and if calls are traced, to their traces as well. */
export function withTracing(metrics: ClassifierHooks, tracing: Tracing | undefined): ClassifierHooks {
  if (tracing === undefined) return metrics;
  return {
    onInput: (input) => {
      metrics.onInput?.(input);
      tracing.classifier.onInput(input);
    },
  };
}
