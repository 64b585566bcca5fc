import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ModelManifest, readManifest } from '../src/models/manifest.js';
import type { Precision } from '../src/runtime/types.js';
import { TokenizerPool } from '../src/tokenizer/tokenizer-pool.js';
import type { Tokenizer } from '../src/tokenizer/types.js';
import { provideBaseModel } from './base-model.js';
import { ScenarioSkipped } from './scenario.js';

export const modelNames = ['base', 'sentiment', 'intent', 'emotion'] as const;

export type ModelName = (typeof modelNames)[number];

export const precisions = ['fp32', 'int8', 'fp16', 'auto'] as const;

export type PrecisionChoice = (typeof precisions)[number];

/** The embedded models ship int8 alone. */
export function usualPrecision(name: ModelName): Precision {
  return name === 'base' ? 'fp32' : 'int8';
}

/** A model as both sides of a comparison need it. */
export interface BenchModel {
  readonly name: ModelName;
  readonly precision: PrecisionChoice;
  /** For titles: `base fp32`. */
  readonly title: string;
  /** The Hub-like folder of the version: config.json, tokenizer.json, onnx/ and, for `base`, model.safetensors. */
  readonly directory: string;
  /** Environment that makes a server serve it in that precision, on as many threads. */
  serverSettings(threads: number): Record<string, string>;
  /** @throws ScenarioSkipped where the model has no file of the precision, or it is `auto` */
  onnxPath(): string;
}

/** The model that the command line names, in any precision, and its tokenizer. */
export class BenchModels {
  readonly name: ModelName;
  /** What `get()` gives. */
  readonly precision: PrecisionChoice;
  /** A models folder with this model alone. */
  readonly #directory: string;
  readonly #manifest: ModelManifest;
  readonly #pool: TokenizerPool;
  readonly #tokenizer: Tokenizer;

  private constructor(options: {
    name: ModelName;
    precision: PrecisionChoice;
    directory: string;
    manifest: ModelManifest;
    pool: TokenizerPool;
    tokenizer: Tokenizer;
  }) {
    this.name = options.name;
    this.precision = options.precision;
    this.#directory = options.directory;
    this.#manifest = options.manifest;
    this.#pool = options.pool;
    this.#tokenizer = options.tokenizer;
  }

  /** Makes the base model first where it is asked for and not there. */
  static async open(name: ModelName, precision: PrecisionChoice): Promise<BenchModels> {
    const source =
      name === 'base' ? provideBaseModel() : fileURLToPath(new URL('../../models', import.meta.url));
    const directory = mkdtempSync(join(tmpdir(), 'verdict-bench-'));
    symlinkSync(join(source, name), join(directory, name));
    const manifest = await readManifest(name, '1', join(source, name, '1'));
    const pool = new TokenizerPool({ workers: 1 });
    const tokenizer = await pool.load(manifest);
    return new BenchModels({ name, precision, directory, manifest, pool, tokenizer });
  }

  get(precision: PrecisionChoice = this.precision): BenchModel {
    return {
      name: this.name,
      precision,
      title: `${this.name} ${precision}`,
      directory: this.#manifest.directory,
      serverSettings: (threads) => ({
        VERDICT_MODELS_DIR: this.#directory,
        VERDICT_DEFAULT_MODEL: this.name,
        VERDICT_PRECISION: precision,
        VERDICT_DEVICE: 'cpu',
        VERDICT_INTRA_OP_THREADS: String(threads),
        VERDICT_DRAIN_GRACE_MS: '0',
      }),
      onnxPath: () => this.#onnxPath(precision),
    };
  }

  /** The precisions that the model has files of. */
  get precisions(): readonly Precision[] {
    return Object.keys(this.#manifest.weights) as Precision[];
  }

  /** @throws ScenarioSkipped where the model lacks one of them */
  require(...needed: readonly Precision[]): void {
    for (const precision of needed) this.#onnxPath(precision);
  }

  /** The tokens of texts, cut to what the model reads, special tokens included. */
  async encode(texts: readonly string[]): Promise<Int32Array[]> {
    const encodings = await Promise.all(texts.map((text) => this.#tokenizer.encode({ text }, 'end')));
    return encodings.map(({ ids }) => ids);
  }

  async close(): Promise<void> {
    rmSync(this.#directory, { recursive: true });
    await this.#pool.close();
  }

  #onnxPath(precision: PrecisionChoice): string {
    const path = precision === 'auto' ? undefined : this.#manifest.weights[precision]?.path;
    if (path === undefined) throw new ScenarioSkipped(`${this.name} has no file of precision ${precision}`);
    return path;
  }
}
