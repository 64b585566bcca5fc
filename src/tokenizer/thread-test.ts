import { packJobs } from './packed-jobs.js';
import type { Errand } from './tokenizer-thread.js';

const TEXT = 'A self-test.';

/**
 * A message that makes a thread use every tokenizer once. It answers in well under a millisecond, or it is stuck.
 * @param tokenizers their numbers
 */
export function threadTest(tokenizers: Iterable<number>, limitMs: number): Errand {
  const input = { text: TEXT };
  const jobs = Array.from(tokenizers, (tokenizer) => ({
    tokenizer,
    input,
    truncation: 'end' as const,
    maxTokens: TEXT.length,
  }));
  return {
    request: { kind: 'encode', jobs: packJobs(jobs) },
    limitMs,
    // Any answer will do; a thread without one is replaced anyway.
    onReply: () => {},
    onLost: () => {},
    onUnbegun: () => {},
  };
}
