import { Serial } from '../concurrency/serial.js';
import { VerdictError } from '../errors.js';
import type { DeployableVersion } from './deployment.js';
import type { ModelRegistry } from './model-registry.js';
import {
  isNoRouting,
  maxAliases,
  noRouting,
  type RollbackEvidence,
  type RollbackLimits,
  type RollbackRule,
  type Routing,
  type Routings,
} from './routing.js';
import { type StateFile, StateFileError } from './state-file.js';
import { redivided, type Shares, sharesOf, type Traffic, undivided } from './traffic.js';
import type { ModelView, RollbackOutcome, Rollbacks, RoutingChanges } from './types.js';

/** Callers of a failing candidate wait no longer for a file that another server changes. */
const LONGEST_WAIT_MS = 2_000;

/** A rollback finds nothing to take away. */
class NotNeededError extends Error {
  override readonly name = 'NotNeededError';

  /** @param routings what the state file says */
  constructor(readonly routings: Routings) {
    super('there is nothing to take away');
  }
}

export interface RoutingKeeperParts<V extends DeployableVersion> {
  readonly registry: ModelRegistry<V>;
  readonly file: StateFile;
  /** The state file cannot be used: nothing has changed. @param reason with its path. Must not throw */
  readonly onTrouble: (reason: string) => void;
  /** Unix time in milliseconds. Default: the clock of the machine. */
  readonly now?: () => number;
}

/**
 * Changes where requests go: first in the state file, then here, so that what a caller was told lasts. Servers that share the file see
 * each other's changes when they refresh.
 */
export class RoutingKeeper<V extends DeployableVersion> implements RoutingChanges, Rollbacks {
  readonly #parts: RoutingKeeperParts<V>;
  readonly #serial = new Serial();

  constructor(parts: RoutingKeeperParts<V>) {
    this.#parts = parts;
  }

  /** Routes as the state file says. @throws StateFileError where it cannot be used: better no server than one that asks the wrong version */
  async open(): Promise<void> {
    const { registry, file } = this.#parts;
    await file.tidy();
    registry.route((await file.read()) ?? new Map());
  }

  /**
   * Routes as the state file says by now. Where it cannot be used, all stays as it is. So it does where the file is gone: a volume that is
   * away for a moment must not send everybody to the highest version.
   */
  refresh(): Promise<void> {
    const { registry, file, onTrouble } = this.#parts;
    return this.#serial.run(async () => {
      try {
        const found = await file.read();
        if (found !== undefined) registry.route(found);
        else if (registry.routings.size > 0)
          onTrouble(`${file.path} is gone: traffic and aliases stay as they are`);
      } catch (error) {
        if (!(error instanceof StateFileError)) throw error;
        onTrouble(error.message);
      }
    });
  }

  setTraffic(model: string, shares: Shares, signal?: AbortSignal): Promise<ModelView> {
    const { registry } = this.#parts;
    return this.#change(model, [...shares.keys()], signal, (former) => {
      for (const version of shares.keys()) registry.requested.require(model, version);
      const rollback = rearmed(former.rollback, shares);
      if (shares.size === 0) return { ...former, traffic: undefined, rollback };
      return { ...former, traffic: redivided(this.#trafficOf(model, former), shares), rollback };
    });
  }

  setAlias(model: string, alias: string, version: string, signal?: AbortSignal): Promise<ModelView> {
    return this.#change(model, [version], signal, (former) => {
      this.#parts.registry.requested.require(model, version);
      const aliases = new Map([...former.aliases, [alias, version]]);
      if (aliases.size > maxAliases) throw tooManyAliases();
      return { ...former, aliases };
    });
  }

  deleteAlias(model: string, alias: string, signal?: AbortSignal): Promise<ModelView> {
    return this.#change(model, [], signal, (former) => {
      const aliases = new Map(former.aliases);
      if (!aliases.delete(alias)) throw noSuchAlias(model, alias);
      return { ...former, aliases };
    });
  }

  setShadow(model: string, version: string, percent: number, signal?: AbortSignal): Promise<ModelView> {
    const named = percent === 0 ? [] : [version];
    return this.#change(model, named, signal, (former) => {
      if (percent === 0) return { ...former, shadow: undefined };
      this.#parts.registry.requested.require(model, version);
      return { ...former, shadow: { version, percent, setAt: this.#after(former.shadow?.setAt) } };
    });
  }

  setRollback(model: string, limits: RollbackLimits, signal?: AbortSignal): Promise<ModelView> {
    const named = [limits.version, limits.stable];
    return this.#change(model, named, signal, (former) => {
      for (const version of named) this.#parts.registry.requested.require(model, version);
      const setAt = this.#after(former.rollback?.setAt);
      return { ...former, rollback: { ...limits, setAt, rolledBack: undefined } };
    });
  }

  deleteRollback(model: string, signal?: AbortSignal): Promise<ModelView> {
    return this.#change(model, [], signal, (former) => {
      if (former.rollback === undefined) throw noRollback(model);
      return { ...former, rollback: undefined };
    });
  }

  rollBack(
    model: string,
    rule: Pick<RollbackRule, 'version' | 'setAt'>,
    evidence: RollbackEvidence,
  ): Promise<RollbackOutcome> {
    const { registry, file, onTrouble } = this.#parts;
    const rolledBack = (routings: Routings) => this.#rolledBack(routings, model, rule, evidence);
    return this.#serial.run(async () => {
      try {
        registry.route(
          await file.change((kept) => {
            const routings = kept ?? registry.routings;
            const changed = rolledBack(routings);
            if (changed === undefined) throw new NotNeededError(routings);
            return changed;
          }, AbortSignal.timeout(LONGEST_WAIT_MS)),
        );
        return 'kept';
      } catch (error) {
        // Another server that shares the file may have taken the traffic already, or somebody may have.
        if (error instanceof NotNeededError) registry.route(error.routings);
        if (error instanceof NotNeededError) return 'not_needed';
        if (!isUnusable(error)) throw error;
        onTrouble(error.message);
        const changed = rolledBack(registry.routings);
        if (changed === undefined) return 'not_needed';
        registry.route(changed);
        return 'not_kept';
      }
    });
  }

  /**
   * @returns undefined where there is nothing to take away, or the rule is another one
   * @throws VerdictError where the stable version does not serve
   */
  #rolledBack(
    routings: Routings,
    model: string,
    rule: Pick<RollbackRule, 'version' | 'setAt'>,
    evidence: RollbackEvidence,
  ): Routings | undefined {
    const former = routings.get(model) ?? noRouting;
    const { rollback } = former;
    const isMeant = rollback?.version === rule.version && rollback.setAt === rule.setAt;
    if (rollback === undefined || !isMeant || rollback.rolledBack !== undefined) return undefined;
    const traffic = this.#trafficOf(model, former);
    const shares = new Map(sharesOf(traffic));
    const share = shares.get(rollback.version);
    if (share === undefined) return undefined;
    this.#requireServing(model, rollback.stable);
    shares.delete(rollback.version);
    shares.set(rollback.stable, (shares.get(rollback.stable) ?? 0) + share);
    return new Map(routings).set(model, {
      ...former,
      traffic: redivided(traffic, shares),
      rollback: { ...rollback, rolledBack: { ...evidence, at: this.#now() } },
    });
  }

  #requireServing(model: string, version: string): void {
    const { registry } = this.#parts;
    registry.requested.require(model, version);
    const { state = 'serving' } = registry.find(model, version) ?? {};
    if (state === 'serving') return;
    throw new VerdictError('unavailable', `the version ${model}/${version} is ${state}`, {
      reason: 'MODEL_NOT_LOADED',
    });
  }

  /** How requests are divided where a division is about to change. */
  #trafficOf(model: string, { traffic }: Routing): Traffic {
    return traffic ?? undivided(this.#parts.registry.currentVersion(model));
  }

  /** Now, and later than before: what is set anew is told from what was set by it. */
  #after(before = 0): number {
    return Math.max(this.#now(), before + 1);
  }

  #now(): number {
    return Math.round(this.#parts.now?.() ?? Date.now());
  }

  /** @param versions what the change will name: a reload that ends while it is being kept leaves them */
  #change(
    model: string,
    versions: readonly string[],
    signal: AbortSignal | undefined,
    edit: (former: Routing) => Routing,
  ): Promise<ModelView> {
    const { registry, file } = this.#parts;
    return this.#serial.run(async () => {
      signal?.throwIfAborted();
      registry.get(model);
      const release = registry.reserve(model, versions);
      try {
        const change = (kept: Routings | undefined) => {
          const routings = kept ?? registry.routings;
          return withRouting(routings, model, edit(routings.get(model) ?? noRouting));
        };
        registry.route(await this.#kept(() => file.change(change, signal)));
      } finally {
        release();
      }
      return registry.get(model);
    });
  }

  async #kept<T>(use: () => Promise<T>): Promise<T> {
    try {
      return await use();
    } catch (error) {
      if (!(error instanceof StateFileError)) throw error;
      this.#parts.onTrouble(error.message);
      throw new VerdictError('unavailable', 'the state file cannot be used, and nothing has changed', {
        reason: 'STATE_NOT_KEPT',
        cause: error,
      });
    }
  }
}

/** Of a model of which nothing is set, nothing is kept. */
function withRouting(routings: Routings, model: string, routing: Routing): Routings {
  const changed = new Map(routings);
  if (isNoRouting(routing)) changed.delete(model);
  else changed.set(model, routing);
  return changed;
}

/** Whether the state file cannot be used, or not in time. */
function isUnusable(error: unknown): error is Error {
  return error instanceof StateFileError || (error instanceof Error && error.name === 'TimeoutError');
}

/** Whoever gives the candidate a share after a rollback wants it to be watched again. */
function rearmed(rule: RollbackRule | undefined, shares: Shares): RollbackRule | undefined {
  if (rule?.rolledBack === undefined || (shares.size > 0 && !shares.has(rule.version))) return rule;
  return { ...rule, rolledBack: undefined };
}

function noRollback(model: string): VerdictError {
  return new VerdictError('not_found', `the model ${model} has no rollback rule`, {
    reason: 'ROLLBACK_NOT_FOUND',
    resource: { type: 'rollback rule', name: model },
  });
}

function noSuchAlias(model: string, alias: string): VerdictError {
  return new VerdictError('not_found', `there is no alias ${alias} of ${model}`, {
    reason: 'ALIAS_NOT_FOUND',
    resource: { type: 'alias', name: `${model}/${alias}` },
  });
}

function tooManyAliases(): VerdictError {
  return new VerdictError('resource_exhausted', `a model may have at most ${maxAliases} aliases`, {
    reason: 'TOO_MANY_ALIASES',
  });
}
