import { credentials } from '@grpc/grpc-js';
import {
  CacheMode,
  CacheOutcome,
  type Classification,
  type ClassifyOptions,
} from '../../../generated/verdict/v1/classification.js';
import {
  ClassifierServiceClient,
  ClassifyRequest,
} from '../../../generated/verdict/v1/classifier_service.js';
import type { AnswerSource, ClientOptions, TextClient } from './text-client.js';

/** Verdict, one Classify call per text, without the comforts of the TypeScript client. */
export class VerdictUnaryClient implements TextClient {
  readonly #client: ClassifierServiceClient;
  readonly #model: string;
  readonly #options: ClassifyOptions | undefined;

  constructor({ address, model, bypassCache }: ClientOptions) {
    this.#client = new ClassifierServiceClient(address, credentials.createInsecure());
    this.#model = model;
    this.#options = optionsFor(bypassCache);
  }

  classify(text: string): Promise<AnswerSource> {
    const request = ClassifyRequest.fromPartial({
      model: this.#model,
      input: { $case: 'text', value: text },
      options: this.#options,
    });
    return new Promise((resolve, reject) => {
      this.#client.classify(request, (error, response) => {
        if (error !== null) reject(error);
        else if (response.classification === undefined)
          reject(new Error('an answer without a classification'));
        else resolve(sourceOf(response.classification));
      });
    });
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
