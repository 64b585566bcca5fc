import { type ClientDuplexStream, credentials } from '@grpc/grpc-js';
import { PredictClient, type PredictRequest, type PredictResponse } from '../../../generated/tei/v1/tei.js';
import { teiAnswer, teiRequest } from './tei-unary-client.js';
import type { AnswerSource, ClientOptions, TextClient } from './text-client.js';
import { WaitingAnswers } from './waiting-answers.js';

/** A server that speaks text-embeddings-inference's PredictStream. Its answers carry no id: they come in order. */
export class TeiStreamClient implements TextClient {
  readonly #client: PredictClient;
  readonly #stream: ClientDuplexStream<PredictRequest, PredictResponse>;
  readonly #answers = new WaitingAnswers<number>();
  #sent = 0;
  #answered = 0;

  constructor({ address }: ClientOptions) {
    this.#client = new PredictClient(address, credentials.createInsecure());
    this.#stream = this.#client.predictStream();
    this.#stream.on('data', (response: PredictResponse) => {
      this.#answers.settle(this.#answered++, teiAnswer(response));
    });
    this.#stream.on('error', (error: Error) => this.#answers.end(error));
    this.#stream.on('end', () => this.#answers.end(new Error('the stream has ended')));
  }

  classify(text: string): Promise<AnswerSource> {
    const answer = this.#answers.wait(this.#sent++);
    this.#stream.write(teiRequest(text));
    return answer;
  }

  close(): void {
    this.#stream.end();
    this.#client.close();
  }
}
