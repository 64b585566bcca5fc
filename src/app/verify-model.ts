import { availableParallelism } from 'node:os';
import { type VerifyReport, verifyModelDirectory } from '../models/verify.js';
import { TokenizerPool } from '../tokenizer/tokenizer-pool.js';

/** Checks a model version's folder without a server, as `verdict models verify` does. */
export async function verifyModel(directory: string): Promise<VerifyReport> {
  const tokenizers = new TokenizerPool({ workers: 1 });
  try {
    return await verifyModelDirectory(directory, {
      loadTokenizer: (manifest) => tokenizers.load(manifest),
      intraOpThreads: availableParallelism(),
    });
  } finally {
    await tokenizers.close();
  }
}
