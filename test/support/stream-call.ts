import { type CallOptions, type ClientDuplexStream, Metadata, type StatusObject } from '@grpc/grpc-js';
import { fromStatus } from '../../clients/typescript/src/client-error.js';
import type {
  ClassifierServiceClient,
  ClassifyStreamRequest,
  ClassifyStreamResponse,
} from '../../generated/verdict/v1/classifier_service.js';

/** A ClassifyStream call whose responses are taken one at a time. */
export class StreamCall {
  readonly call: ClientDuplexStream<ClassifyStreamRequest, ClassifyStreamResponse>;
  /** Resolves with the status that the call ended with; never rejects. */
  readonly status: Promise<StatusObject>;
  readonly headers: Promise<Metadata>;
  readonly #responses: AsyncIterator<ClassifyStreamResponse>;

  constructor(
    client: ClassifierServiceClient,
    fields: Metadata | Readonly<Record<string, string>> = {},
    options: Partial<CallOptions> = {},
  ) {
    this.call = client.classifyStream(fields instanceof Metadata ? fields : metadataOf(fields), options);
    this.status = new Promise((resolve) => {
      this.call.on('status', resolve);
    });
    this.headers = new Promise((resolve) => {
      this.call.on('metadata', resolve);
    });
    this.call.on('error', () => undefined);
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

function metadataOf(fields: Readonly<Record<string, string>>): Metadata {
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(fields)) metadata.set(key, value);
  return metadata;
}

/** A response in short: `0:id=sports`, `1:id!INVALID_FIELD`, `2:end`. */
export function short({ index, id, outcome }: ClassifyStreamResponse): string {
  switch (outcome?.$case) {
    case 'classification':
      return `${index}:${id}=${outcome.value.predictions[0]?.label}`;
    case 'error':
      return `${index}:${id}!${fromStatus(outcome.value).reason}`;
    case 'end':
      return `${index}:end`;
    case undefined:
      return `${index}:${id}?`;
  }
}
