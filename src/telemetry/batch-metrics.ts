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
      'Inputs per batch.',
    );
    this.#tokens = new HistogramFamily(
      registry,
      'verdict_batch_tokens',
      model,
      batchTokens,
      'Tokens per batch, without padding.',
    );
    this.#paddedTokens = new HistogramFamily(
      registry,
      'verdict_batch_padded_tokens',
      model,
      batchTokens,
      'Tokens per batch with padding: the longest input times the number of inputs.',
    );
    this.#runSeconds = new HistogramFamily(
      registry,
      'verdict_batch_run_seconds',
      model,
      latencySeconds,
      'Run time of a batch in its session.',
    );
    this.#closed = new CounterFamily(
      registry,
      'verdict_batches_total',
      ['model', 'reason'],
      'Batches by the reason they were closed: drained (the queue was empty), budget (padded tokens), items, run_time (predicted), length (the remaining inputs are cheaper in their own batches), shared (the queue was split among free sessions), bisected (half of a failed batch).',
    );
    this.#shed = new CounterFamily(
      registry,
      'verdict_shed_total',
      ['model', 'class', 'reason'],
      'Inputs refused or dropped before they reached a session, by class (interactive, bulk) and reason: queue_full, deadline (it cannot be met), expired (the deadline passed in the queue, or can no longer be met), abandoned (nobody is waiting for the answer), no_instance.',
    );
    this.#retries = new CounterFamily(
      registry,
      'verdict_batch_retries_total',
      ['model', 'reason'],
      'Batches run again, whole or in halves, by reason: runner_lost (the session was lost), bisect, out_of_memory.',
    );
    this.#failed = new CounterFamily(
      registry,
      'verdict_inputs_failed_total',
      ['model', 'reason'],
      'Inputs that failed in a session, by reason: refused (by ONNX Runtime), non_finite (the model computed NaN or infinity), out_of_memory, runtime_lost (two sessions were lost while they ran this input), other.',
    );
    this.#expiredRuns = new CounterFamily(
      registry,
      'verdict_expired_runs_total',
      model,
      'Inputs that were already past their deadline when they reached a session. More than a rare one is a bug.',
    );
    const perClass = ['model', 'class'];
    gauge(
      registry,
      'verdict_queue_items',
      perClass,
      'Inputs waiting for a session, by class: interactive (unary calls), bulk (streams and batch calls).',
      () => this.#queues.map((queue) => ({ labels: labelsOf(queue), value: queue.items })),
    );
    gauge(
      registry,
      'verdict_queue_tokens',
      perClass,
      'Tokens of the inputs waiting for a session, by class.',
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
