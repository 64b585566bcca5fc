import { credentials } from '@grpc/grpc-js';
import { PredictClient, PredictRequest, type PredictResponse } from '../../../generated/tei/v1/tei.js';
import type { AnswerSource, ClientOptions, TextClient } from './text-client.js';

/** A server that speaks text-embeddings-inference's Predict, one call per text. */
export class TeiUnaryClient implements TextClient {
  readonly #client: PredictClient;

  constructor({ address }: ClientOptions) {
    this.#client = new PredictClient(address, credentials.createInsecure());
  }

  classify(text: string): Promise<AnswerSource> {
    return new Promise((resolve, reject) => {
      this.#client.predict(teiRequest(text), (error, response) => {
        const answer = error ?? teiAnswer(response);
        if (answer instanceof Error) reject(answer);
        else resolve(answer);
      });
    });
  }

  close(): void {
    this.#client.close();
  }
}

/** Long texts are cut, as Verdict does by default. */
export function teiRequest(text: string): PredictRequest {
  return PredictRequest.fromPartial({ inputs: text, truncate: true });
}

/** What an answer is worth. */
export function teiAnswer({ predictions }: PredictResponse): AnswerSource | Error {
  return predictions.length === 0 ? new Error('an answer without predictions') : 'unknown';
}
