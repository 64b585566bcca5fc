import type { Registry } from 'prom-client';
import type { ClassifierHooks } from '../classify/types.js';
import { latencySeconds } from './buckets.js';
import { CounterFamily, type CounterSeries } from './counter-family.js';
import { HistogramFamily, type HistogramSeries } from './histogram-family.js';
import { type ClassifiedInput, type InputStatus, inputStatuses, statusOf } from './input-status.js';
import type { VersionLabels } from './types.js';

interface VersionSeries {
  readonly status: Record<InputStatus, CounterSeries>;
  readonly latency: HistogramSeries;
  readonly tokenize: HistogramSeries;
  readonly queue: HistogramSeries;
  readonly inference: HistogramSeries;
  readonly postprocess: HistogramSeries;
  readonly interactive: HistogramSeries;
  readonly bulk: HistogramSeries;
}

/** Outcome and duration of each input, and its time in each stage. */
export class InferenceMetrics implements ClassifierHooks {
  readonly #requests: CounterFamily;
  readonly #latency: HistogramFamily;
  readonly #stages: HistogramFamily;
  readonly #queueWaits: HistogramFamily;
  /** By model and version. */
  readonly #versions = new Map<string, Map<string, VersionSeries>>();
  #unknown: VersionSeries | undefined;

  constructor(registry: Registry) {
    this.#requests = new CounterFamily(
      registry,
      'inference_requests_total',
      ['model', 'version', 'status'],
      'Completed inputs by outcome: success (computed, or shared with a computation under way), cache_hit, error. Inputs that fail validation reach no model and are not counted here: see grpc_server_handled_total.',
    );
    this.#latency = new HistogramFamily(
      registry,
      'inference_latency_seconds',
      ['model', 'version'],
      latencySeconds,
      "Time from an input's arrival to its answer, errors excluded.",
    );
    this.#stages = new HistogramFamily(
      registry,
      'verdict_stage_duration_seconds',
      ['model', 'version', 'stage'],
      latencySeconds,
      'Time an input spent in each stage. tokenize, queue and inference (the run of its whole batch) are recorded for inputs that were computed, postprocess for every answer.',
    );
    this.#queueWaits = new HistogramFamily(
      registry,
      'verdict_queue_wait_seconds',
      ['model', 'version', 'class'],
      latencySeconds,
      'Time inputs waited for their run, by class: interactive or bulk.',
    );
  }

  /** Creates a version's series, at 0. */
  add(of: VersionLabels): void {
    const versions = this.#versions.get(of.model) ?? new Map<string, VersionSeries>();
    this.#versions.set(of.model, versions.set(of.version, this.#series(of)));
  }

  /** Forgets a version. */
  forget(of: VersionLabels): void {
    this.#versions.get(of.model)?.delete(of.version);
    for (const family of [this.#requests, this.#latency, this.#stages, this.#queueWaits]) family.forget(of);
  }

  onInput(input: ClassifiedInput): void {
    const { outcome, timings, model, version, trace } = input;
    // A name without a model must not create series: callers could multiply them.
    const series = this.#versions.get(model)?.get(version) ?? this.#ofUnknown();
    series.status[statusOf[outcome]].add();
    if (outcome === 'error') return;
    series.latency.observe(input.totalMs / 1000, trace);
    series.postprocess.observe(input.postprocessMs / 1000, trace);
    if (timings === undefined || (outcome !== 'miss' && outcome !== 'bypassed')) return;
    series.tokenize.observe(timings.tokenizeMs / 1000, trace);
    series.queue.observe(timings.queueMs / 1000, trace);
    series[input.serviceClass].observe(timings.queueMs / 1000, trace);
    series.inference.observe(timings.inferenceMs / 1000, trace);
  }

  #ofUnknown(): VersionSeries {
    this.#unknown ??= this.#series({ model: 'unknown', version: '' });
    return this.#unknown;
  }

  #series(of: VersionLabels): VersionSeries {
    return {
      status: this.#requests.byValue('status', inputStatuses, of),
      latency: this.#latency.series(of),
      tokenize: this.#stages.series({ ...of, stage: 'tokenize' }),
      queue: this.#stages.series({ ...of, stage: 'queue' }),
      inference: this.#stages.series({ ...of, stage: 'inference' }),
      postprocess: this.#stages.series({ ...of, stage: 'postprocess' }),
      interactive: this.#queueWaits.series({ ...of, class: 'interactive' }),
      bulk: this.#queueWaits.series({ ...of, class: 'bulk' }),
    };
  }
}
