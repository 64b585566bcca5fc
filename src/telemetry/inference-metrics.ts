import type { Registry } from 'prom-client';
import type { ClassifierHooks } from '../classify/types.js';
import { latencySeconds } from './buckets.js';
import { CounterFamily } from './counter-family.js';
import { HistogramFamily } from './histogram-family.js';

type Item = Parameters<NonNullable<ClassifierHooks['onItem']>>[0];
type Status = 'success' | 'cache_hit' | 'error';

const statuses: readonly Status[] = ['success', 'cache_hit', 'error'];
const statusOf = {
  miss: 'success',
  bypassed: 'success',
  coalesced: 'success',
  lru: 'cache_hit',
  redis: 'cache_hit',
  error: 'error',
} as const satisfies Record<Item['outcome'], Status>;

/** What becomes of each input: how it ended, how long it took, and where the time went. */
export class InferenceMetrics implements ClassifierHooks {
  readonly #requests: CounterFamily;
  readonly #latency: HistogramFamily;
  readonly #stages: HistogramFamily;
  readonly #queueWaits: HistogramFamily;
  readonly #models = new Map<string, ReturnType<InferenceMetrics['add']>>();

  constructor(registry: Registry) {
    this.#requests = new CounterFamily(
      registry,
      'inference_requests_total',
      ['model', 'status'],
      'Completed inputs by outcome: success (computed, or shared with a computation under way), cache_hit, error. Inputs that fail validation reach no model and are not counted here: see grpc_server_handled_total.',
    );
    this.#latency = new HistogramFamily(
      registry,
      'inference_latency_seconds',
      ['model'],
      latencySeconds,
      "Time from an input's arrival to its answer, errors excluded.",
    );
    this.#stages = new HistogramFamily(
      registry,
      'verdict_stage_duration_seconds',
      ['model', 'stage'],
      latencySeconds,
      'Time an input spent in each stage. tokenize, queue and inference (the run of its whole batch) are recorded for inputs that were computed, postprocess for every answer.',
    );
    this.#queueWaits = new HistogramFamily(
      registry,
      'verdict_queue_wait_seconds',
      ['model', 'class'],
      latencySeconds,
      'Time inputs waited for their run, by class: interactive or bulk.',
    );
  }

  /** Makes a model known, at 0. */
  add(model: string) {
    const series = {
      status: this.#requests.byValue('status', statuses, { model }),
      latency: this.#latency.series({ model }),
      tokenize: this.#stages.series({ model, stage: 'tokenize' }),
      queue: this.#stages.series({ model, stage: 'queue' }),
      inference: this.#stages.series({ model, stage: 'inference' }),
      postprocess: this.#stages.series({ model, stage: 'postprocess' }),
      interactive: this.#queueWaits.series({ model, class: 'interactive' }),
      bulk: this.#queueWaits.series({ model, class: 'bulk' }),
    };
    this.#models.set(model, series);
    return series;
  }

  onItem(item: Item): void {
    const { outcome, timings } = item;
    // A name that is no model's must not make series: they would be the caller's to multiply.
    const series = this.#models.get(item.model) ?? this.#models.get('unknown') ?? this.add('unknown');
    series.status[statusOf[outcome]].add();
    if (outcome === 'error') return;
    series.latency.observe(item.totalMs / 1000);
    series.postprocess.observe(item.postprocessMs / 1000);
    if (timings === undefined || (outcome !== 'miss' && outcome !== 'bypassed')) return;
    series.tokenize.observe(timings.tokenizeMs / 1000);
    series.queue.observe(timings.queueMs / 1000);
    series[item.serviceClass].observe(timings.queueMs / 1000);
    series.inference.observe(timings.inferenceMs / 1000);
  }
}
