import { setImmediate as afterThisTurn } from 'node:timers';
import type { Resolved, ResultCache } from '../cache/types.js';
import { WeightedFlow } from '../claim.js';
import { VerdictError } from '../errors.js';
import type { TextInput, Truncation } from '../tokenizer/types.js';
import type { ComparableVersion } from './types.js';

/** Inputs of one model that are computed at a time, and those that wait for their turn. */
const MOST_UNDER_WAY = 4;
const MOST_WAITING = 64;
/** UTF-16 units of the texts that wait. */
const MOST_WAITING_CHARS = 2 ** 20;
/** An input that nobody waits for is given up after this. */
const LIMIT_MS = 10_000;
/** What of a queue may be taken once one more of these inputs is in. */
const FULLEST_QUEUE = 0.25;
/** Among bulk callers, all side runs together get a tenth of one caller's share. */
const FLOW = new WeightedFlow(0.1);

/** An input that a version is to be asked on the side. */
export interface SideRun {
  readonly input: TextInput;
  /** Undefined: as the version does by default. */
  readonly truncation: Truncation | undefined;
  /** The version; undefined: it is not loaded any more. */
  readonly version: () => ComparableVersion | undefined;
  readonly onAnswer: (version: ComparableVersion, answer: Resolved) => void;
  readonly onNoAnswer: (outcome: 'failed' | 'dropped') => void;
}

/**
 * Asks versions on the side, for nobody who waits: in the bulk class at the lowest weight, past the cache, a few at a time, and only
 * where a queue is nearly empty. What there is no room for is dropped.
 */
export class SideRuns {
  readonly #cache: Pick<ResultCache, 'resolve'>;
  readonly #stopping = new AbortController();
  readonly #waiting: SideRun[] = [];
  #waitingChars = 0;
  #underWay = 0;

  constructor(cache: Pick<ResultCache, 'resolve'>) {
    this.#cache = cache;
  }

  /** Starts after the present turn of the event loop, when the caller has been answered. */
  offer(run: SideRun): void {
    const chars = lengthOf(run.input);
    const isFull =
      this.#stopping.signal.aborted ||
      this.#waiting.length >= MOST_WAITING ||
      this.#waitingChars + chars > MOST_WAITING_CHARS;
    if (isFull) {
      run.onNoAnswer('dropped');
      return;
    }
    this.#waiting.push(run);
    this.#waitingChars += chars;
    if (this.#waiting.length === 1) afterThisTurn(() => this.#startMore());
  }

  /** Drops what waits and gives up what is under way. Whoever offered it hears nothing more of it. */
  stop(): void {
    this.#waiting.length = 0;
    this.#waitingChars = 0;
    this.#stopping.abort(new VerdictError('cancelled', 'side runs have ended', { reason: 'CANCELLED' }));
  }

  #startMore(): void {
    while (this.#underWay < MOST_UNDER_WAY) {
      const run = this.#waiting.shift();
      if (run === undefined) return;
      this.#waitingChars -= lengthOf(run.input);
      this.#underWay++;
      void this.#run(run).finally(() => {
        this.#underWay--;
        this.#startMore();
      });
    }
  }

  async #run({ input, truncation, version: find, onAnswer, onNoAnswer }: SideRun): Promise<void> {
    const version = find();
    if (version === undefined || version.nextQueueFill > FULLEST_QUEUE) {
      onNoAnswer('dropped');
      return;
    }
    let answer: Resolved;
    try {
      answer = await this.#cache.resolve(
        '',
        version.entryShape,
        'bypass',
        {
          signal: this.#stopping.signal,
          deadlineAt: performance.now() + LIMIT_MS,
          serviceClass: 'bulk',
          flow: FLOW,
          whenFull: 'refuse',
        },
        (flight) => version.compute(input, truncation ?? version.defaultTruncation, flight),
      );
    } catch (error) {
      if (!this.#stopping.signal.aborted) onNoAnswer(isCircumstance(error) ? 'dropped' : 'failed');
      return;
    }
    if (!this.#stopping.signal.aborted) onAnswer(version, answer);
  }
}

function lengthOf({ text, textPair = '' }: TextInput): number {
  return text.length + textPair.length;
}

/** Whether an error tells of load, or of a version on its way out, and nothing of the version's answers. */
function isCircumstance(error: unknown): boolean {
  if (!(error instanceof VerdictError)) return false;
  const { code, reason } = error;
  if (code === 'cancelled' || reason === 'DRAINING') return true;
  return code === 'resource_exhausted' && reason !== 'OUT_OF_MEMORY';
}
