import type { Registry } from 'prom-client';
import type { ModelState, ModelVersionView, ModelView } from '../models/types.js';
import { gauge, type Reading } from './gauge.js';

const states: readonly ModelState[] = ['unloaded', 'loading', 'serving', 'draining', 'failed'];

/** Versions, their states and their sessions, read from the catalog at scrape. */
export function modelMetrics(registry: Registry, list: () => readonly ModelView[]): void {
  const perVersion = (
    name: string,
    more: readonly string[],
    help: string,
    read: (version: ModelVersionView) => readonly Reading[],
  ) => {
    gauge(registry, name, ['model', 'version', ...more], help, () =>
      list().flatMap((model) =>
        model.versions.flatMap((version) =>
          read(version).map(({ labels, value }) => ({
            labels: { model: model.name, version: version.version, ...labels },
            value,
          })),
        ),
      ),
    );
  };
  perVersion(
    'verdict_model_info',
    ['precision', 'device', 'digest', 'batching'],
    "Always 1; the labels describe the loaded version. batching says which inputs can share a batch without changing each other's answers: padded (any), equal_length, one_at_a_time.",
    ({ precision = '', device = '', digest, batching = '' }) => [
      { labels: { precision, device, digest, batching }, value: 1 },
    ],
  );
  perVersion(
    'verdict_model_state',
    ['state'],
    "1 for the version's current state, 0 for the others: unloaded (loaded when somebody asks for it), loading, serving, draining, failed (it could not be loaded, or has lost every session).",
    (version) => states.map((state) => ({ labels: { state }, value: Number(state === version.state) })),
  );
  perVersion('verdict_instances_ready', [], 'Sessions ready to run a batch.', (version) => [
    { value: version.readyInstances },
  ]);
  perVersion('verdict_instances_wanted', [], 'Sessions the version should have.', (version) => [
    { value: version.instances },
  ]);
  perVersion(
    'verdict_model_memory_bytes',
    [],
    'Resident memory of the session processes, measured every 5 s. Pages that processes share count in each. 0 where the system does not tell.',
    (version) => [{ value: version.memoryBytes }],
  );
  gauge(
    registry,
    'verdict_models_loaded',
    [],
    'Models of which a version is loaded and gets requests.',
    () => [{ value: list().filter(({ loaded }) => loaded).length }],
  );
  perVersion(
    'verdict_batch_budget_tokens',
    [],
    'Most padded tokens in one batch, as set or calibrated.',
    (version) => [{ value: version.batchBudgetTokens }],
  );
}
