import { packJobs } from './packed-jobs.js';
import type { Errand } from './tokenizer-thread.js';

const TEXT = 'A self-test.';

/** A message that has a thread use every tokenizer once. It answers in well under a millisecond, or it is stuck. */
export function threadTest(tokenizers: number, limitMs: number): Errand {
  const input = { text: TEXT };
  const jobs = Array.from({ length: tokenizers }, (_, tokenizer) => ({
    tokenizer,
    input,
    truncation: 'end' as const,
  }));
  return {
    request: { kind: 'encode', jobs: packJobs(jobs) },
    limitMs,
    // That there is an answer is all that is asked for; a thread that has none is replaced, whoever asked.
    onReply: () => {},
    onLost: () => {},
    onUnbegun: () => {},
  };
}
