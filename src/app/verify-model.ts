import { availableParallelism } from 'node:os';
import { type VerifyOptions, type VerifyReport, verifyModelDirectory } from '../models/verify.js';
import { TextPreprocessor } from '../preprocessing/text-preprocessor.js';
import { TokenizerPool } from '../tokenizer/tokenizer-pool.js';

/** Checks a model version's folder without a server, as `verdict models verify` does. */
export async function verifyModel(
  directory: string,
  options: Pick<VerifyOptions, 'measures' | 'signal'> = {},
): Promise<VerifyReport> {
  const tokenizers = new TokenizerPool({ workers: 1 });
  try {
    return await verifyModelDirectory(directory, {
      loadPreprocessor: async (manifest) => new TextPreprocessor(await tokenizers.load(manifest), manifest),
      intraOpThreads: availableParallelism(),
      ...options,
    });
  } finally {
    await tokenizers.close();
  }
}
