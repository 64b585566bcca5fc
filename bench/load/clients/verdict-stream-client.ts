import { type ClientDuplexStream, credentials } from '@grpc/grpc-js';
import {
  ClassifierServiceClient,
  ClassifyStreamRequest,
  type ClassifyStreamResponse,
  StreamOrder,
} from '../../../generated/verdict/v1/classifier_service.js';
import type { AnswerSource, ClientOptions, TextClient } from './text-client.js';
import { optionsFor, sourceOf } from './verdict-unary-client.js';
import { WaitingAnswers } from './waiting-answers.js';

/** Verdict, all texts on one ClassifyStream, answers as they come. */
export class VerdictStreamClient implements TextClient {
  readonly #client: ClassifierServiceClient;
  readonly #stream: ClientDuplexStream<ClassifyStreamRequest, ClassifyStreamResponse>;
  readonly #answers = new WaitingAnswers<number>();
  #next = 0;

  constructor({ address, model, bypassCache }: ClientOptions) {
    this.#client = new ClassifierServiceClient(address, credentials.createInsecure());
    this.#stream = this.#client.classifyStream();
    this.#stream.on('data', (response: ClassifyStreamResponse) => {
      const { index, outcome } = response;
      const isAnswer = outcome?.$case === 'classification';
      this.#answers.settle(
        index,
        isAnswer ? sourceOf(outcome.value) : new Error('a text got no classification'),
      );
    });
    this.#stream.on('error', (error: Error) => this.#answers.end(error));
    this.#stream.on('end', () => this.#answers.end(new Error('the stream has ended')));
    this.#stream.write(
      ClassifyStreamRequest.fromPartial({
        settings: {
          order: StreamOrder.COMPLETION,
          defaultModel: model,
          defaultOptions: optionsFor(bypassCache),
        },
      }),
    );
  }

  classify(text: string): Promise<AnswerSource> {
    const answer = this.#answers.wait(this.#next++);
    this.#stream.write(ClassifyStreamRequest.fromPartial({ input: { $case: 'text', value: text } }));
    return answer;
  }

  close(): void {
    this.#stream.end();
    this.#client.close();
  }
}
