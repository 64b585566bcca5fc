import type { Registry } from 'prom-client';
import type { BatcherHooks, CloseReason, ServiceClass } from '../batching/types.js';
import { batchItems, batchTokens, latencySeconds } from './buckets.js';
import { CounterFamily } from './counter-family.js';
import { gauge } from './gauge.js';
import { HistogramFamily } from './histogram-family.js';

type ShedReason = Parameters<NonNullable<BatcherHooks['onShed']>>[0];
type RetryReason = Parameters<NonNullable<BatcherHooks['onRetry']>>[0];

const closeReasons = Object.keys({
  drained: 0,
  budget: 0,
  items: 0,
  run_time: 0,
  length: 0,
  shared: 0,
  bisected: 0,
} satisfies Record<CloseReason, 0>) as CloseReason[];
const shedReasons = Object.keys({
  queue_full: 0,
  deadline: 0,
  expired: 0,
  abandoned: 0,
  no_instance: 0,
} satisfies Record<ShedReason, 0>) as ShedReason[];
const retryReasons = Object.keys({
  runner_lost: 0,
  bisect: 0,
  out_of_memory: 0,
} satisfies Record<RetryReason, 0>) as RetryReason[];

/** The reasons of the errors that an input gets after it has run, and what they are counted as. */
const failures: Readonly<Record<string, (typeof failureReasons)[number]>> = {
  INFERENCE_FAILED: 'refused',
  NON_FINITE_LOGITS: 'non_finite',
  OUT_OF_MEMORY: 'out_of_memory',
  RUNTIME_LOST: 'runtime_lost',
};
const failureReasons = ['refused', 'non_finite', 'out_of_memory', 'runtime_lost', 'other'] as const;

const serviceClasses = Object.keys({ interactive: 0, bulk: 0 } satisfies Record<
  ServiceClass,
  0
>) as ServiceClass[];

interface Queue {
  readonly model: string;
  readonly serviceClass: ServiceClass;
  items: number;
  tokens: number;
}

/** The batches of each model, and the queue in front of them. */
export class BatchMetrics {
  readonly #items: HistogramFamily;
  readonly #tokens: HistogramFamily;
  readonly #paddedTokens: HistogramFamily;
  readonly #runSeconds: HistogramFamily;
  readonly #closed: CounterFamily;
  readonly #shed: CounterFamily;
  readonly #retries: CounterFamily;
  readonly #failed: CounterFamily;
  readonly #expiredRuns: CounterFamily;
  readonly #queues: Queue[] = [];

  constructor(registry: Registry) {
    const model = ['model'];
    this.#items = new HistogramFamily(
      registry,
      'verdict_batch_items',
      model,
      batchItems,
      'Inputs in a batch.',
    );
    this.#tokens = new HistogramFamily(
      registry,
      'verdict_batch_tokens',
      model,
      batchTokens,
      'Real tokens in a batch, padding left out.',
    );
    this.#paddedTokens = new HistogramFamily(
      registry,
      'verdict_batch_padded_tokens',
      model,
      batchTokens,
      'Tokens in a batch with padding: longest input times inputs.',
    );
    this.#runSeconds = new HistogramFamily(
      registry,
      'verdict_batch_run_seconds',
      model,
      latencySeconds,
      'Run of a batch in its session.',
    );
    this.#closed = new CounterFamily(
      registry,
      'verdict_batches_total',
      ['model', 'reason'],
      'Batches by why they held no more: drained (the queue was empty), budget (padded tokens), items, run_time (predicted), length (the rest is cheaper in batches of its own), shared (the queue was divided among free sessions), bisected (a part of a failed batch).',
    );
    this.#shed = new CounterFamily(
      registry,
      'verdict_shed_total',
      ['model', 'class', 'reason'],
      'Inputs refused or dropped before a session saw them, by class (interactive, bulk): queue_full, deadline (could not be met), expired (passed while waiting, or could not be met any more), abandoned (nobody waits any more), no_instance.',
    );
    this.#retries = new CounterFamily(
      registry,
      'verdict_batch_retries_total',
      ['model', 'reason'],
      'Batches run again, whole or in parts: runner_lost, bisect, out_of_memory.',
    );
    this.#failed = new CounterFamily(
      registry,
      'verdict_inputs_failed_total',
      ['model', 'reason'],
      'Inputs answered with an error after they had run: refused (by ONNX Runtime), non_finite (the model computed NaN or infinity), out_of_memory, runtime_lost (they lost two sessions), other.',
    );
    this.#expiredRuns = new CounterFamily(
      registry,
      'verdict_expired_runs_total',
      model,
      'Inputs whose deadline had passed when they were handed to a session; anything beyond a rare one is a fault.',
    );
    const perClass = ['model', 'class'];
    gauge(
      registry,
      'verdict_queue_items',
      perClass,
      'Inputs that wait for a session, by class: interactive (unary calls), bulk (streams and batch calls).',
      () => this.#queues.map((queue) => ({ labels: labelsOf(queue), value: queue.items })),
    );
    gauge(
      registry,
      'verdict_queue_tokens',
      perClass,
      'Tokens of the inputs that wait for a session, by class.',
      () => this.#queues.map((queue) => ({ labels: labelsOf(queue), value: queue.tokens })),
    );
  }

  /** Makes a model known, at 0, and takes the events of its batcher. */
  hooks(model: string): BatcherHooks {
    const items = this.#items.series({ model });
    const tokens = this.#tokens.series({ model });
    const paddedTokens = this.#paddedTokens.series({ model });
    const runSeconds = this.#runSeconds.series({ model });
    const closed = this.#closed.byValue('reason', closeReasons, { model });
    const shedOf = (serviceClass: ServiceClass) =>
      this.#shed.byValue('reason', shedReasons, { model, class: serviceClass });
    const shed = { interactive: shedOf('interactive'), bulk: shedOf('bulk') };
    const retries = this.#retries.byValue('reason', retryReasons, { model });
    const failed = this.#failed.byValue('reason', failureReasons, { model });
    const expiredRuns = this.#expiredRuns.series({ model });
    const queues = serviceClasses.map((serviceClass) => ({ model, serviceClass, items: 0, tokens: 0 }));
    this.#queues.push(...queues);
    return {
      onBatch(batch) {
        items.observe(batch.items);
        tokens.observe(batch.tokens);
        paddedTokens.observe(batch.paddedTokens);
        runSeconds.observe(batch.runMs / 1000);
        closed[batch.reason].add();
      },
      onQueue(depth) {
        for (const queue of queues) {
          const { items, tokens } = depth[queue.serviceClass];
          queue.items = items;
          queue.tokens = tokens;
        }
      },
      onShed: (reason, serviceClass) => shed[serviceClass][reason].add(),
      onFailed: (reason) => {
        failed[failures[reason] ?? 'other'].add();
      },
      onRetry: (reason) => retries[reason].add(),
      onExpiredRun: () => expiredRuns.add(),
    };
  }
}

function labelsOf({ model, serviceClass }: Queue) {
  return { model, class: serviceClass };
}
