import type { Registry } from 'prom-client';
import type { BatcherHooks, CloseReason, ServiceClass } from '../batching/types.js';
import { batchItems, batchTokens, latencySeconds } from './buckets.js';
import { CounterFamily, hasLabels } from './counter-family.js';
import { gauge } from './gauge.js';
import { HistogramFamily } from './histogram-family.js';
import type { VersionLabels } from './types.js';

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

/** The reasons of errors after a run, and the label that counts each. */
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
  readonly of: VersionLabels;
  readonly serviceClass: ServiceClass;
  items: number;
  tokens: number;
}

/** The batches of each version, and the queue in front of them. */
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
  readonly #families: readonly (CounterFamily | HistogramFamily)[];
  readonly #queues = new Set<Queue>();

  constructor(registry: Registry) {
    const perVersion = ['model', 'version'];
    this.#items = new HistogramFamily(
      registry,
      'verdict_batch_items',
      perVersion,
      batchItems,
      'Inputs per batch.',
    );
    this.#tokens = new HistogramFamily(
      registry,
      'verdict_batch_tokens',
      perVersion,
      batchTokens,
      'Tokens per batch, without padding.',
    );
    this.#paddedTokens = new HistogramFamily(
      registry,
      'verdict_batch_padded_tokens',
      perVersion,
      batchTokens,
      'Tokens per batch with padding: the longest input times the number of inputs.',
    );
    this.#runSeconds = new HistogramFamily(
      registry,
      'verdict_batch_run_seconds',
      perVersion,
      latencySeconds,
      'Run time of a batch in its session.',
    );
    this.#closed = new CounterFamily(
      registry,
      'verdict_batches_total',
      [...perVersion, 'reason'],
      'Batches by the reason they were closed: drained (the queue was empty), budget (padded tokens), items, run_time (predicted), length (the remaining inputs are cheaper in their own batches), shared (the queue was divided among free sessions), bisected (half of a failed batch that was split).',
    );
    this.#shed = new CounterFamily(
      registry,
      'verdict_shed_total',
      [...perVersion, 'class', 'reason'],
      'Inputs refused or dropped before they reached a session, by class (interactive, bulk) and reason: queue_full, deadline (it cannot be met), expired (the deadline passed in the queue, or can no longer be met), abandoned (nobody is waiting for the answer), no_instance.',
    );
    this.#retries = new CounterFamily(
      registry,
      'verdict_batch_retries_total',
      [...perVersion, 'reason'],
      'Batches run again, by reason: runner_lost (the session was lost and the batch requeued), bisect (the batch failed and was split), out_of_memory (the batch was split).',
    );
    this.#failed = new CounterFamily(
      registry,
      'verdict_inputs_failed_total',
      [...perVersion, 'reason'],
      'Inputs that failed in a session, by reason: refused (by ONNX Runtime), non_finite (the model computed NaN or infinity), out_of_memory, runtime_lost (two sessions were lost while they ran this input), other.',
    );
    this.#expiredRuns = new CounterFamily(
      registry,
      'verdict_expired_runs_total',
      perVersion,
      'Inputs that were already past their deadline when they reached a session. More than an occasional one is a bug.',
    );
    const perClass = [...perVersion, 'class'];
    this.#families = [
      this.#items,
      this.#tokens,
      this.#paddedTokens,
      this.#runSeconds,
      this.#closed,
      this.#shed,
      this.#retries,
      this.#failed,
      this.#expiredRuns,
    ];
    gauge(
      registry,
      'verdict_queue_items',
      perClass,
      'Inputs waiting for a session, by class: interactive (unary calls), bulk (streams and batch calls).',
      () => [...this.#queues].map((queue) => ({ labels: labelsOf(queue), value: queue.items })),
    );
    gauge(
      registry,
      'verdict_queue_tokens',
      perClass,
      'Tokens of the inputs waiting for a session, by class.',
      () => [...this.#queues].map((queue) => ({ labels: labelsOf(queue), value: queue.tokens })),
    );
  }

  /** Creates a version's series, at 0, and returns the hooks of its batcher. */
  hooks(of: VersionLabels): BatcherHooks {
    const items = this.#items.series(of);
    const tokens = this.#tokens.series(of);
    const paddedTokens = this.#paddedTokens.series(of);
    const runSeconds = this.#runSeconds.series(of);
    const closed = this.#closed.byValue('reason', closeReasons, of);
    const shedOf = (serviceClass: ServiceClass) =>
      this.#shed.byValue('reason', shedReasons, { ...of, class: serviceClass });
    const shed = { interactive: shedOf('interactive'), bulk: shedOf('bulk') };
    const retries = this.#retries.byValue('reason', retryReasons, of);
    const failed = this.#failed.byValue('reason', failureReasons, of);
    const expiredRuns = this.#expiredRuns.series(of);
    const queues = serviceClasses.map((serviceClass) => ({ of, serviceClass, items: 0, tokens: 0 }));
    for (const queue of queues) this.#queues.add(queue);
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

  /** Forgets a version. */
  forget(of: VersionLabels): void {
    for (const family of this.#families) family.forget(of);
    for (const queue of this.#queues) if (hasLabels(queue.of, of)) this.#queues.delete(queue);
  }
}

function labelsOf({ of, serviceClass }: Queue) {
  return { ...of, class: serviceClass };
}
