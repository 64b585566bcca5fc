import { Serial } from '../concurrency/serial.js';
import { VerdictError } from '../errors.js';
import type { DeployableVersion } from './deployment.js';
import type { ModelRegistry } from './model-registry.js';
import { maxAliases, noRouting, type Routing, type Routings } from './routing.js';
import { type StateFile, StateFileError } from './state-file.js';
import { redivided, type Shares, undivided } from './traffic.js';
import type { ModelView, RoutingChanges } from './types.js';

export interface RoutingKeeperParts<V extends DeployableVersion> {
  readonly registry: ModelRegistry<V>;
  readonly file: StateFile;
  /** The state file cannot be used: nothing has changed. @param reason with its path. Must not throw */
  readonly onTrouble: (reason: string) => void;
}

/**
 * Changes where requests go: first in the state file, then here, so that what a caller was told lasts. Servers that share the file see
 * each other's changes when they refresh.
 */
export class RoutingKeeper<V extends DeployableVersion> implements RoutingChanges {
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
      for (const version of shares.keys()) registry.require(model, version);
      if (shares.size === 0) return { ...former, traffic: undefined };
      const current = former.traffic ?? undivided(registry.currentVersion(model));
      return { ...former, traffic: redivided(current, shares) };
    });
  }

  setAlias(model: string, alias: string, version: string, signal?: AbortSignal): Promise<ModelView> {
    return this.#change(model, [version], signal, (former) => {
      this.#parts.registry.require(model, version);
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
  if (routing.traffic === undefined && routing.aliases.size === 0) changed.delete(model);
  else changed.set(model, routing);
  return changed;
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
