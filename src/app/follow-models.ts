import { setTimeout as delay } from 'node:timers/promises';
import { Serial } from '../concurrency/serial.js';
import { isSystemError, systemTrouble } from '../errors/system-trouble.js';
import type { Precision } from '../runtime/types.js';
import { openSource, type SourceAccess, shortNameOf } from '../sources/open-source.js';
import { revisionOf } from '../sources/published-origin.js';
import { RegistryError, SourceError, UnusableSourceError } from '../sources/source-error.js';
import type { Origin } from '../sources/types.js';
import { addModelIfNew, derivedName } from './add-model.js';

export type { SourceAccess } from '../sources/open-source.js';
export { UnusableSourceError } from '../sources/source-error.js';

/** A registry that is away is asked this often at least. */
const LONGEST_WAIT_MS = 300_000;

export interface FollowedSource {
  readonly reference: string;
  /** What the model is to be called. Default: as its source is. */
  readonly name: string | undefined;
}

export interface FollowOptions {
  readonly sources: readonly FollowedSource[];
  /** The folder that servers read models from. */
  readonly modelsDir: string;
  /** The folder of each source that holds the model. Default: its root, or the only folder that does. */
  readonly path: string | undefined;
  readonly precisions: readonly Precision[];
  readonly access: SourceAccess;
  /** Time between two looks at a source. */
  readonly intervalMs: number;
  /** Look at each source once, and return. */
  readonly once: boolean;
  readonly signal: AbortSignal;
  readonly onEvent: (event: FollowEvent) => void;
  /** 0 to 1. Default: `Math.random`. */
  readonly random?: () => number;
}

/**
 * - `published`: what the source holds is a new version in the models folder.
 * - `unchanged`: the last version from the source is what it holds. Told where it is looked at once.
 * - `refused`: what the source holds cannot be served; it is not tried again until it changes.
 * - `unreachable`: the registry did not answer, or not in full. Told once for each reason.
 * - `failed`: the models folder cannot be written to. Told once for each reason.
 * - `recovered`: after `unreachable` or `failed`, the source was looked at as usual.
 */
export type FollowOutcome = 'published' | 'unchanged' | 'refused' | 'unreachable' | 'failed';

export interface FollowEvent {
  readonly event: FollowOutcome | 'recovered';
  readonly source: string;
  readonly model?: string;
  /** The folder that was published. */
  readonly directory?: string;
  readonly origin?: Origin | undefined;
  readonly reason?: string;
}

/**
 * Keeps the models folder up with the sources: looks at each again and again, and publishes what is new. Never removes a version.
 *
 * @returns the outcome of the last look at each source, when the signal aborts, or after one look
 * @throws UnusableSourceError for a source that can never be one, and for two sources of one model
 */
export async function followModels(options: FollowOptions): Promise<readonly FollowOutcome[]> {
  refuseSharedNames(options.sources);
  const ended = new AbortController();
  const signal = AbortSignal.any([options.signal, ended.signal]);
  // Models are tried one after the other: the server beside this has use for the processors.
  const turns = new Serial();
  try {
    const { sources } = options;
    return await Promise.all(
      sources.map((source) => new Follower(source, { ...options, signal }, turns).run()),
    );
  } finally {
    // One that cannot go on ends all.
    ended.abort();
  }
}

/** Sources of one model would publish over each other. @throws UnusableSourceError */
function refuseSharedNames(sources: readonly FollowedSource[]): void {
  const references = new Map<string, string>();
  for (const { reference, name } of sources) {
    const shortName = shortNameOf(reference);
    const model = name ?? (shortName === undefined ? undefined : derivedName(shortName));
    if (model === undefined) continue;
    const other = references.get(model);
    if (other !== undefined) {
      throw new UnusableSourceError(
        `${other} and ${reference} are both called ${model}: call one otherwise, NAME=SOURCE`,
      );
    }
    references.set(model, reference);
  }
}

/** How long to wait before the next look: the interval, or longer after failures; spread, so that followers do not look together. */
export function lookDelayMs(intervalMs: number, failures: number, random: number): number {
  const most = Math.max(intervalMs, LONGEST_WAIT_MS);
  return Math.min(most, intervalMs * 2 ** Math.min(failures, 30)) * (0.8 + 0.2 * random);
}

class Follower {
  readonly #source: FollowedSource;
  readonly #options: FollowOptions;
  readonly #turns: Serial;
  #failures = 0;
  /** What was said last of a failure. */
  #trouble: string | undefined;
  /** The revision that did not pass. */
  #refused: string | undefined;

  constructor(source: FollowedSource, options: FollowOptions, turns: Serial) {
    this.#source = source;
    this.#options = options;
    this.#turns = turns;
  }

  async run(): Promise<FollowOutcome> {
    const { once, signal, intervalMs, random = Math.random } = this.#options;
    for (;;) {
      const outcome = await this.#look();
      if (once || signal.aborted) return outcome;
      const waitMs = lookDelayMs(intervalMs, this.#failures, random());
      await delay(waitMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return outcome;
    }
  }

  async #look(): Promise<FollowOutcome> {
    try {
      const outcome = await this.#publish();
      if (this.#trouble !== undefined) this.#tell({ event: 'recovered' });
      this.#failures = 0;
      this.#trouble = undefined;
      return outcome;
    } catch (error) {
      if (this.#options.signal.aborted) return 'failed';
      if (error instanceof UnusableSourceError) throw error;
      if (error instanceof SourceError) return this.#fail('unreachable', error.message);
      if (!isSystemError(error)) throw error;
      const { path = this.#options.modelsDir } = error as { readonly path?: string };
      return this.#fail('failed', `cannot write to ${path}: ${systemTrouble(error)}`);
    }
  }

  async #publish(): Promise<FollowOutcome> {
    const { access, signal, once } = this.#options;
    const source = await openSource(this.#source.reference, access, signal);
    const revision = revisionOf(source.origin);
    if (revision === undefined) {
      throw new UnusableSourceError(`a folder to follow is written file:///folder, not ${source.name}`);
    }
    if (revision === this.#refused) return 'refused';
    try {
      const { name } = this.#source;
      const inTurn = this.#turns.run;
      const added = await addModelIfNew(source, { ...this.#options, name, inTurn });
      this.#refused = undefined;
      if (added === undefined) {
        if (once) this.#tell({ event: 'unchanged' });
        return 'unchanged';
      }
      const { name: model, directory, origin, report } = added;
      if (directory !== undefined) {
        this.#tell({ event: 'published', model, directory, origin });
        return 'published';
      }
      const failed = report.checks.filter(({ ok }) => !ok);
      return this.#refuse(revision, failed.map((check) => `${check.name}: ${check.detail}`).join('; '));
    } catch (error) {
      const isOfContent = error instanceof SourceError && !(error instanceof RegistryError);
      if (!isOfContent) throw error;
      return this.#refuse(revision, error.message);
    }
  }

  #refuse(revision: string, reason: string): FollowOutcome {
    this.#refused = revision;
    this.#tell({ event: 'refused', reason });
    return 'refused';
  }

  #fail(event: 'unreachable' | 'failed', reason: string): FollowOutcome {
    this.#failures += 1;
    if (reason !== this.#trouble) this.#tell({ event, reason });
    this.#trouble = reason;
    return event;
  }

  #tell(event: Omit<FollowEvent, 'source'>): void {
    this.#options.onEvent({ source: this.#source.reference, ...event });
  }
}
