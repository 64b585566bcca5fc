import {
  CacheMode,
  CacheOutcome,
  type Classification,
  type ClassifyOptions,
} from '../../../generated/verdict/v1/classification.js';
import { ClassifyRequest, ClassifyResponse } from '../../../generated/verdict/v1/classifier_service.js';
import { RawUnaryClient, toFrame } from '../raw-unary-client.js';
import type { AnswerSource, ClientOptions, TextClient } from './text-client.js';

/**
 * Verdict, one Classify call per text over one connection. On bare HTTP/2: on the server's own machine a client that costs
 * more takes from the server, and the HTTP clients of the servers that are compared with are as bare.
 */
export class VerdictUnaryClient implements TextClient {
  readonly #client: RawUnaryClient;
  readonly #model: string;
  readonly #options: ClassifyOptions | undefined;

  constructor({ address, model, bypassCache }: ClientOptions) {
    this.#client = new RawUnaryClient(address, '/verdict.v1.ClassifierService/Classify', 1);
    this.#model = model;
    this.#options = optionsFor(bypassCache);
  }

  async classify(text: string): Promise<AnswerSource> {
    const request = ClassifyRequest.fromPartial({
      model: this.#model,
      input: { $case: 'text', value: text },
      options: this.#options,
    });
    const frame = toFrame(ClassifyRequest.encode(request).finish());
    const { status, message } = await this.#client.call(frame, undefined, true);
    if (status !== 0) throw new Error(`the call ended with status ${status}`);
    const { classification } = ClassifyResponse.decode(message ?? new Uint8Array());
    if (classification === undefined) throw new Error('an answer without a classification');
    return sourceOf(classification);
  }

  close(): void {
    this.#client.close();
  }
}

/** The options of every request of a run. */
export function optionsFor(bypassCache: boolean): ClassifyOptions | undefined {
  return bypassCache ? ({ cache: CacheMode.BYPASS } as ClassifyOptions) : undefined;
}

export function sourceOf({ cache }: Classification): AnswerSource {
  if (cache === CacheOutcome.COALESCED) return 'joined';
  return cache === CacheOutcome.LRU || cache === CacheOutcome.REDIS ? 'cache' : 'computed';
}
