import { type ClientDuplexStream, Metadata, type StatusObject } from '@grpc/grpc-js';
import type {
  ClassifyStreamRequest,
  ClassifyStreamResponse,
} from '../../../generated/verdict/v1/classifier_service.js';
import { decodeStatus } from './details.js';
import type { Edge } from './edge.js';

/** A ClassifyStream call whose responses are taken one at a time. */
export class StreamClient {
  readonly call: ClientDuplexStream<ClassifyStreamRequest, ClassifyStreamResponse>;
  /** Resolves with the status that the call ended with; never rejects. */
  readonly status: Promise<StatusObject>;
  readonly #responses: AsyncIterator<ClassifyStreamResponse>;

  constructor(edge: Edge, metadata = new Metadata(), options: { deadline?: number } = {}) {
    this.call = edge.classifier.classifyStream(metadata, options);
    this.status = new Promise((resolve) => {
      this.call.on('status', resolve);
    });
    this.call.on('error', () => {});
    this.#responses = this.call[Symbol.asyncIterator]();
  }

  send(...requests: ClassifyStreamRequest[]): this {
    for (const request of requests) this.call.write(request);
    return this;
  }

  end(): this {
    this.call.end();
    return this;
  }

  async next(): Promise<ClassifyStreamResponse> {
    const { value, done } = await this.#responses.next();
    if (done === true) throw new Error('the stream has ended');
    return value;
  }

  /** Everything until the end of the call, good or bad. */
  async rest(): Promise<ClassifyStreamResponse[]> {
    const responses: ClassifyStreamResponse[] = [];
    try {
      for (;;) responses.push(await this.next());
    } catch {
      return responses;
    }
  }
}

/** A response in short: `0:id=label`, `1:id!REASON`, `2:end`. */
export function short({ index, id, outcome }: ClassifyStreamResponse): string {
  if (outcome?.$case === 'classification') return `${index}:${id}=${outcome.value.predictions[0]?.label}`;
  if (outcome?.$case === 'error') return `${index}:${id}!${decodeStatus(outcome.value).reason}`;
  return `${index}:end`;
}
