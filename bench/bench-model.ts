import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readManifest } from '../src/models/manifest.js';
import { TokenizerPool } from '../src/tokenizer/tokenizer-pool.js';
import { provideBaseModel } from './base-model.js';

const embeddedModels = fileURLToPath(new URL('../../models', import.meta.url));

/** A model as both sides of a comparison need it: the server's settings, the file, the tokens of texts. */
export interface BenchModel {
  readonly name: string;
  /** The fp32 file: what the offline reference runs. */
  readonly onnxPath: string;
  /** Environment that makes the server serve just this file, on as many threads. */
  serverSettings(threads: number): Record<string, string>;
  encode(texts: readonly string[]): Promise<Int32Array[]>;
  close(): Promise<void>;
}

/** @param name `base`, or one of the embedded models */
export async function provideBenchModel(name: string): Promise<BenchModel> {
  const modelsDirectory = name === 'base' ? provideBaseModel() : embeddedModels;
  const manifest = await readManifest(name, '1', join(modelsDirectory, name, '1'));
  const pool = new TokenizerPool({ workers: 1 });
  const tokenizer = await pool.load(manifest);
  return {
    name,
    onnxPath: manifest.weights.fp32 ?? '',
    serverSettings: (threads) => ({
      VERDICT_MODELS_DIR: modelsDirectory,
      VERDICT_DEFAULT_MODEL: name,
      VERDICT_PRECISION: 'fp32',
      VERDICT_DEVICE: 'cpu',
      VERDICT_INTRA_OP_THREADS: String(threads),
      VERDICT_DRAIN_GRACE_MS: '0',
    }),
    encode: async (texts) =>
      Promise.all(texts.map(async (text) => (await tokenizer.encode({ text }, 'end')).ids)),
    close: () => pool.close(),
  };
}
