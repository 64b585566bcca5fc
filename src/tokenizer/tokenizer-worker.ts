import { parentPort } from 'node:worker_threads';
import type { HfTokenizer } from './hf-tokenizer.js';
import { type PackedJobs, unpackJobs } from './packed-jobs.js';
import { type JobResult, packResults } from './packed-results.js';
import { readTokenizer } from './read-tokenizer.js';
import type { EncodedReply, ThreadReply, ThreadRequest, TokenizerSource } from './thread-messages.js';

/* Entry of a tokenizer thread: holds the tokenizers of all models and answers every message with one, in order. */
const tokenizers = new Map<number, HfTokenizer>();

parentPort?.on('message', (request: ThreadRequest) => {
  if (request.kind === 'load') parentPort?.postMessage(load(request.tokenizer, request.source));
  else {
    const reply = encode(request.jobs);
    parentPort?.postMessage(reply, [reply.results.buffer]);
  }
});

function load(number: number, source: TokenizerSource): ThreadReply {
  try {
    const tokenizer = readTokenizer(source);
    tokenizers.set(number, tokenizer);
    return { kind: 'loaded', padId: tokenizer.padId };
  } catch (error) {
    return { kind: 'failed', reason: `${source.tokenizerJsonPath}: ${wordsOf(error)}` };
  }
}

function encode(jobs: PackedJobs): EncodedReply {
  const results: JobResult[] = [];
  let failure: string | undefined;
  unpackJobs(jobs, ({ tokenizer, input, truncation }) => {
    try {
      const known = tokenizers.get(tokenizer);
      if (known === undefined) throw new Error(`tokenizer ${tokenizer} is not loaded`);
      results.push(known.encode(input, truncation));
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
