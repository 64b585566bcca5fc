import { type Keyspace, type Resolved, sharedKeyspace } from '../cache/types.js';
import type { ClassifyingModel } from '../classify/classifier-pipeline.js';
import type { InputRequest } from '../classify/types.js';
import { heldLabels } from '../models/held-labels.js';
import type { TextInput, Truncation } from '../tokenizer/types.js';

/** UTF-16 units of the texts that are kept of one model: 16 MiB. */
const MOST_CHARS = 2 ** 23;

/** An input that was answered lately. */
export interface RecentInput {
  readonly input: TextInput;
  /** As it was asked for; undefined: as the version does by default. */
  readonly truncation: Truncation | undefined;
  /** Of the version that answered. */
  readonly digest: string;
  /** The labels that held: see `heldLabels`. */
  readonly held: string;
}

/**
 * The latest inputs of each model, in memory alone and of shared answers alone: whoever has a cache of its own, none, or passes it by
 * leaves nothing here. Each input is there once.
 */
export class RecentInputs {
  readonly #most: number;
  readonly #models = new Map<string, InputsOfModel>();
  #forgottenAt = Number.NEGATIVE_INFINITY;

  /** @param most inputs of one model, at least 1 */
  constructor(most: number) {
    this.#most = most;
  }

  /** @param startedAt when the input came, in performance.now() milliseconds: what came before anything was forgotten is not kept */
  keep(
    model: ClassifyingModel,
    { input, options }: InputRequest,
    keyspace: Keyspace | undefined,
    { entry }: Resolved,
    startedAt: number,
  ): void {
    if (keyspace !== sharedKeyspace || options.cache === 'bypass' || startedAt <= this.#forgottenAt) return;
    const { name, digest, problemType, appliedActivation } = model;
    let inputs = this.#models.get(name);
    if (inputs === undefined) {
      inputs = new InputsOfModel(this.#most);
      this.#models.set(name, inputs);
    }
    const held = heldLabels(entry.logits, problemType, appliedActivation);
    inputs.add({ input, truncation: options.truncation, digest, held });
  }

  /** Latest first. */
  of(model: string): readonly RecentInput[] {
    return this.#models.get(model)?.list() ?? [];
  }

  /** Whether it is still kept. */
  has(model: string, input: TextInput): boolean {
    return this.#models.get(model)?.has(input) ?? false;
  }

  /** Forgets an input, and what is being answered at the moment too. @param isMeant the models of which it is forgotten */
  forget(input: TextInput, isMeant: (model: string) => boolean): void {
    this.#forgottenAt = performance.now();
    for (const [model, inputs] of this.#models) if (isMeant(model)) inputs.delete(input);
  }

  /** Forgets the inputs of all models but these. */
  retain(models: readonly string[]): void {
    for (const model of this.#models.keys()) if (!models.includes(model)) this.#models.delete(model);
  }
}

class InputsOfModel {
  readonly #most: number;
  /** Oldest first. */
  readonly #inputs = new Map<string, RecentInput>();
  #chars = 0;

  constructor(most: number) {
    this.#most = most;
  }

  add(recent: RecentInput): void {
    const key = keyOf(recent.input);
    if (key.length > MOST_CHARS) return;
    this.#remove(key);
    this.#inputs.set(key, recent);
    this.#chars += key.length;
    for (const oldest of this.#inputs.keys()) {
      if (this.#inputs.size <= this.#most && this.#chars <= MOST_CHARS) return;
      this.#remove(oldest);
    }
  }

  list(): readonly RecentInput[] {
    return [...this.#inputs.values()].reverse();
  }

  has(input: TextInput): boolean {
    return this.#inputs.has(keyOf(input));
  }

  delete(input: TextInput): void {
    this.#remove(keyOf(input));
  }

  #remove(key: string): void {
    if (this.#inputs.delete(key)) this.#chars -= key.length;
  }
}

/** No text is the key of a pair. */
function keyOf({ text, textPair }: TextInput): string {
  return textPair === undefined ? `t${text}` : `${text.length}:${text}${textPair}`;
}
