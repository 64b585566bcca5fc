import type { DeployableVersion, Deployment } from './deployment.js';
import { namedVersions, type Routings } from './routing.js';

/** Whether the models can serve, and what of them does not. */
export interface ModelsReadiness {
  readonly ready: boolean;
  /** Sentences for operators. */
  readonly reasons: readonly string[];
}

type Deployments = ReadonlyMap<string, Deployment<DeployableVersion>>;

/**
 * Whether every version that requests are routed to serves, and which ones do not. Versions that are not loaded are named but
 * do not count: the others can serve.
 */
export function readinessOf(deployments: Deployments, routings: Routings): ModelsReadiness {
  const all = [...deployments.values()];
  const hasLoaded = all.some(({ isLoaded }) => isLoaded);
  const reasons = all
    .flatMap(({ routed }) => routed)
    .filter(({ state }) => state !== 'serving')
    .map(({ name, version, view: { state, stateReason } }) =>
      [`${name}/${version} is ${state}`, stateReason].filter((words) => words !== '').join(': '),
    );
  const unloaded = all.flatMap(({ name, unloaded }) =>
    [...unloaded]
      .filter(([, { state }]) => state !== 'unloaded')
      .map(([version, { state, reason }]) =>
        state === 'loading'
          ? `${name}/${version} is being loaded`
          : `${pathOf(name, version)} could not be loaded: ${reason}`,
      ),
  );
  const troubles = routingTroublesIn(deployments, routings);
  return {
    ready: hasLoaded && reasons.length === 0,
    reasons: [...reasons, ...unloaded, ...troubles, ...rollbacksIn(deployments, routings)],
  };
}

/** What routings say that has no effect, since they name what is not there. */
export function routingTroublesIn(deployments: Deployments, routings: Routings): readonly string[] {
  return [...routings].flatMap(([name, routing]) => {
    const deployment = deployments.get(name);
    if (deployment === undefined) return [`there is no model ${name}, and the state file names it`];
    const isMissing = (version: string) =>
      deployment.find(version) === undefined && !deployment.unloaded.has(version);
    return [...namedVersions(routing)]
      .filter(isMissing)
      .map((version) => `${name}/${version} is not there, and the state file names it`);
  });
}

/** Candidates that have lost their traffic. */
function rollbacksIn(deployments: Deployments, routings: Routings): readonly string[] {
  return [...routings].flatMap(([name, { rollback }]) => {
    if (rollback?.rolledBack === undefined || !deployments.has(name)) return [];
    const { at, cause, count, observations } = rollback.rolledBack;
    const words = cause === 'errors' ? 'failed' : `got other labels than from ${rollback.stable}`;
    return [
      `${name}/${rollback.version} lost its traffic to ${rollback.stable} at ${new Date(at).toISOString()}: ${count} of ${observations} inputs ${words}`,
    ];
  });
}

function pathOf(name: string, version: string): string {
  return version === '' ? name : `${name}/${version}`;
}
