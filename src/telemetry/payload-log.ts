import type { Classification, Classifier, InputClaim, InputRequest } from '../classify/types.js';
import { LineLimiter } from './line-limiter.js';
import { redact } from './redact.js';
import type { Log } from './types.js';

const LINE_INTERVAL_MS = 100;

export interface PayloadLogOptions {
  /** The share of answered inputs that are logged, 1 to 100. */
  readonly percent: number;
  /** Characters of a text that a line shows. */
  readonly maxChars: number;
  /** A number from 0 up to 1, without it. */
  readonly random?: () => number;
  /** A monotonic clock in milliseconds. */
  readonly now?: () => number;
}

/**
 * Logs a sample of the answered inputs with their texts, redacted: for somebody who wants to see what a model is asked. Only on
 * request, as it is the one place where texts reach the log. Writes at most ten lines a second, without who asked.
 */
export class PayloadLog implements Classifier {
  readonly #inner: Classifier;
  readonly #log: Pick<Log, 'info'>;
  readonly #share: number;
  readonly #maxChars: number;
  readonly #random: () => number;
  readonly #limiter: LineLimiter;

  constructor(inner: Classifier, log: Pick<Log, 'info'>, options: PayloadLogOptions) {
    const { percent, maxChars, random = Math.random, now = () => performance.now() } = options;
    this.#inner = inner;
    this.#log = log;
    this.#share = percent / 100;
    this.#maxChars = maxChars;
    this.#random = random;
    this.#limiter = new LineLimiter(LINE_INTERVAL_MS, now);
  }

  classify(request: InputRequest, claim: InputClaim): ReturnType<Classifier['classify']> {
    const answer = this.#inner.classify(request, claim);
    if (this.#random() >= this.#share) return answer;
    if (!(answer instanceof Promise)) {
      this.#tell(request, answer);
      return answer;
    }
    return answer.then((classification) => {
      this.#tell(request, classification);
      return classification;
    });
  }

  #tell({ input }: InputRequest, { model, version, predictions: [best], cache }: Classification): void {
    const suppressed = this.#limiter.pass();
    if (suppressed === undefined) return;
    const shown = (text: string) => redact(text, this.#maxChars);
    const { text, textPair } = input;
    const texts =
      textPair === undefined ? { text: shown(text) } : { text: shown(text), text_pair: shown(textPair) };
    const { label, score } = best ?? {};
    this.#log.info({ model, version, ...texts, label, score, cache, suppressed }, 'payload');
  }
}
