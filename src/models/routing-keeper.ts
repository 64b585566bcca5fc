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
 * each other's changes when they reload.
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
    registry.route(await file.read());
  }

  /** Routes as the state file says by now. Where it cannot be used, all stays as it is. */
  refresh(): Promise<void> {
    const { registry, file, onTrouble } = this.#parts;
    return this.#serial.run(async () => {
      try {
        registry.route(await file.read());
      } catch (error) {
        if (!(error instanceof StateFileError)) throw error;
        onTrouble(error.message);
      }
    });
  }

  setTraffic(model: string, shares: Shares): Promise<ModelView> {
    const { registry } = this.#parts;
    return this.#change(model, (former) => {
      for (const version of shares.keys()) registry.require(model, version);
      const rollback = rearmed(former.rollback, shares);
      if (shares.size === 0) return { ...former, traffic: undefined, rollback };
      return { ...former, traffic: redivided(this.#trafficOf(model, former), shares), rollback };
    });
  }

  setAlias(model: string, alias: string, version: string): Promise<ModelView> {
    return this.#change(model, (former) => {
      this.#parts.registry.require(model, version);
      const aliases = new Map([...former.aliases, [alias, version]]);
      if (aliases.size > maxAliases) throw tooManyAliases();
      return { ...former, aliases };
    });
  }

  deleteAlias(model: string, alias: string): Promise<ModelView> {
    return this.#change(model, (former) => {
      const aliases = new Map(former.aliases);
      if (!aliases.delete(alias)) throw noSuchAlias(model, alias);
      return { ...former, aliases };
    });
  }

  setShadow(model: string, version: string, percent: number): Promise<ModelView> {
    return this.#change(model, (former) => {
      if (percent === 0) return { ...former, shadow: undefined };
      this.#parts.registry.require(model, version);
      return { ...former, shadow: { version, percent, setAt: this.#after(former.shadow?.setAt) } };
    });
  }

  setRollback(model: string, limits: RollbackLimits): Promise<ModelView> {
    return this.#change(model, (former) => {
      this.#parts.registry.require(model, limits.version);
      this.#parts.registry.require(model, limits.stable);
      const setAt = this.#after(former.rollback?.setAt);
      return { ...former, rollback: { ...limits, setAt, rolledBack: undefined } };
    });
  }

  deleteRollback(model: string): Promise<ModelView> {
    return this.#change(model, (former) => {
      if (former.rollback === undefined) throw noRollback(model);
      return { ...former, rollback: undefined };
    });
  }

  rollBack(
    model: string,
    rule: Pick<RollbackRule, 'version' | 'setAt'>,
    evidence: RollbackEvidence,
  ): Promise<RollbackOutcome> {
    const { registry, file } = this.#parts;
    return this.#serial.run(async () => {
      const read = await this.#unlessTroubled(() => file.read());
      // What holds here is what the evidence is about, if the file cannot tell.
      const routings: Routings = read ?? registry.routings;
      const former = routings.get(model) ?? noRouting;
      const { rollback } = former;
      const shares = new Map(sharesOf(this.#trafficOf(model, former)));
      const share = shares.get(rule.version) ?? 0;
      const isMeant = rollback?.version === rule.version && rollback.setAt === rule.setAt;
      if (rollback === undefined || !isMeant || rollback.rolledBack !== undefined || share === 0) {
        // Another server that shares the file may have taken the traffic already, or somebody may have.
        registry.route(routings);
        return 'not_needed';
      }
      requireServing(registry.require(model, rollback.stable));
      shares.delete(rollback.version);
      shares.set(rollback.stable, (shares.get(rollback.stable) ?? 0) + share);
      const changed = new Map(routings).set(model, {
        ...former,
        traffic: redivided(this.#trafficOf(model, former), shares),
        rollback: { ...rollback, rolledBack: { ...evidence, at: this.#now() } },
      });
      const isKept =
        read !== undefined && (await this.#unlessTroubled(() => file.write(changed).then(() => true)));
      registry.route(changed);
      return isKept === true ? 'kept' : 'not_kept';
    });
  }

  /** How requests are divided where a division is about to change. */
  #trafficOf(model: string, { traffic }: Routing): Traffic {
    return traffic ?? undivided(this.#parts.registry.current(model)?.version ?? '');
  }

  /** Now, and later than before: what is set anew is told from what was set by it. */
  #after(before = 0): number {
    return Math.max(this.#now(), before + 1);
  }

  #now(): number {
    return Math.round(this.#parts.now?.() ?? Date.now());
  }

  #change(model: string, edit: (former: Routing) => Routing): Promise<ModelView> {
    const { registry, file } = this.#parts;
    return this.#serial.run(async () => {
      registry.get(model);
      const routings = await this.#kept(() => file.read());
      const routing = edit(routings.get(model) ?? noRouting);
      const changed = withRouting(routings, model, routing);
      await this.#kept(() => file.write(changed));
      registry.route(changed);
      return registry.get(model);
    });
  }

  /** @returns undefined where the state file cannot be used, which is told */
  async #unlessTroubled<T>(use: () => Promise<T>): Promise<T | undefined> {
    try {
      return await use();
    } catch (error) {
      if (!(error instanceof StateFileError)) throw error;
      this.#parts.onTrouble(error.message);
      return undefined;
    }
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

/** Whoever gives the candidate a share after a rollback wants it to be watched again. */
function rearmed(rule: RollbackRule | undefined, shares: Shares): RollbackRule | undefined {
  if (rule?.rolledBack === undefined || (shares.size > 0 && !shares.has(rule.version))) return rule;
  return { ...rule, rolledBack: undefined };
}

function requireServing({ name, version, state }: DeployableVersion): void {
  if (state === 'serving') return;
  throw new VerdictError('unavailable', `the version ${name}/${version} is ${state}`, {
    reason: 'MODEL_NOT_LOADED',
  });
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
