import { type ClientDuplexStream, credentials, type StatusObject } from '@grpc/grpc-js';
import {
  ClassifierServiceClient,
  ClassifyStreamRequest,
  type ClassifyStreamResponse,
  StreamSettings,
} from '../../generated/verdict/v1/classifier_service.js';

/** A ClassifyStream call over a connection of its own, that keeps everything it gets: what a client would hide too. */
export class StreamRecording {
  readonly responses: ClassifyStreamResponse[] = [];
  /** What the call ended with. Never rejects. */
  readonly status: Promise<StatusObject>;
  readonly #client: ClassifierServiceClient;
  readonly #call: ClientDuplexStream<ClassifyStreamRequest, ClassifyStreamResponse>;

  constructor(address: string, settings?: Partial<StreamSettings>) {
    this.#client = new ClassifierServiceClient(address, credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
    });
    this.#call = this.#client.classifyStream();
    this.#call.on('data', (response: ClassifyStreamResponse) => this.responses.push(response));
    this.#call.on('error', () => {});
    this.status = new Promise((resolve) => {
      this.#call.on('status', (status: StatusObject) => {
        this.#client.close();
        resolve(status);
      });
    });
    if (settings !== undefined) {
      this.#call.write(ClassifyStreamRequest.fromPartial({ settings: StreamSettings.fromPartial(settings) }));
    }
  }

  send(...texts: string[]): this {
    for (const value of texts) {
      this.#call.write(ClassifyStreamRequest.fromPartial({ input: { $case: 'text', value } }));
    }
    return this;
  }

  end(): this {
    this.#call.end();
    return this;
  }

  cancel(): void {
    this.#call.cancel();
  }
}
