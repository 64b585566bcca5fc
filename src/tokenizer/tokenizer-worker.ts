import { parentPort } from 'node:worker_threads';
import type { HfTokenizer } from './hf-tokenizer.js';
import { type PackedJobs, unpackJobs } from './packed-jobs.js';
import { type JobResult, packResults } from './packed-results.js';
import { readTokenizer } from './read-tokenizer.js';
import type { EncodedReply, ThreadReply, ThreadRequest } from './thread-messages.js';
import type { TokenizerFiles } from './tokenizer-files.js';

/* Entry of a tokenizer thread: holds the tokenizers of all models and answers every message with one, in order. */
const tokenizers = new Map<number, HfTokenizer>();

parentPort?.on('message', (request: ThreadRequest) => {
  switch (request.kind) {
    case 'load':
      parentPort?.postMessage(load(request.tokenizer, request.files));
      return;
    case 'unload':
      parentPort?.postMessage(unload(request.tokenizer));
      return;
    case 'encode': {
      const reply = encode(request.jobs);
      parentPort?.postMessage(reply, [reply.results.buffer]);
    }
  }
});

function load(number: number, files: TokenizerFiles): ThreadReply {
  try {
    const tokenizer = readTokenizer(files);
    tokenizers.set(number, tokenizer);
    return { kind: 'loaded', padId: tokenizer.padId };
  } catch (error) {
    return { kind: 'failed', reason: `${files.path}: ${wordsOf(error)}` };
  }
}

function unload(number: number): ThreadReply {
  tokenizers.delete(number);
  return { kind: 'unloaded' };
}

function encode(jobs: PackedJobs): EncodedReply {
  const results: JobResult[] = [];
  let failure: string | undefined;
  unpackJobs(jobs, ({ tokenizer, input, truncation, maxTokens }) => {
    try {
      const known = tokenizers.get(tokenizer);
      if (known === undefined) throw new Error(`tokenizer ${tokenizer} is not loaded`);
      results.push(known.encode(input, truncation, maxTokens));
    } catch (error) {
      failure ??= wordsOf(error);
      results.push({ kind: 'failed' });
    }
  });
  return { kind: 'encoded', results: packResults(results), failure };
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
