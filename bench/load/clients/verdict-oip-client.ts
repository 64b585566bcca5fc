import { ModelInferRequest, ModelInferResponse } from '../../../generated/inference/grpc_service.js';
import { RawUnaryClient, toFrame } from '../raw-unary-client.js';
import type { AnswerSource, ClientOptions, TextClient } from './text-client.js';

/** Bytes of the length before a text. */
const LENGTH_BYTES = 4;

/** Verdict, one ModelInfer call per text over one connection, with tensors as they lie in memory: what tritonclient sends. */
export class VerdictOipClient implements TextClient {
  readonly #client: RawUnaryClient;
  readonly #model: string;

  constructor({ address, model }: ClientOptions) {
    this.#client = new RawUnaryClient(address, '/inference.GRPCInferenceService/ModelInfer', 1);
    this.#model = model;
  }

  async classify(text: string): Promise<AnswerSource> {
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeUInt32LE(Buffer.byteLength(text));
    const request = ModelInferRequest.fromPartial({
      modelName: this.#model,
      inputs: [{ name: 'text', datatype: 'BYTES', shape: [1n] }],
      rawInputContents: [Buffer.concat([length, Buffer.from(text)])],
    });
    const frame = toFrame(ModelInferRequest.encode(request).finish());
    const { status, message } = await this.#client.call(frame, undefined, true);
    if (status !== 0) throw new Error(`the call ended with status ${status}`);
    const { outputs } = ModelInferResponse.decode(message ?? new Uint8Array());
    if (outputs.length === 0) throw new Error('an answer without outputs');
    return 'unknown';
  }

  close(): void {
    this.#client.close();
  }
}
