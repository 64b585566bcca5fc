import type {
  InferParameter,
  ModelInferRequest,
  ModelInferResponse,
  ModelStreamInferResponse,
} from '../../../generated/inference/grpc_service.js';
import type { VerdictError } from '../../errors.js';
import type { Call, CallHandler } from '../route.js';
import type { RequestLimits } from '../server-options.js';
import { asVerdictError, codeNames } from '../status.js';
import { maxIdChars } from '../stream-input.js';
import { StreamWindow, type WindowItem } from '../stream-window.js';
import { inferJobFrom } from './infer-request.js';
import type { Inference } from './inference.js';

/** What every stream of a server is given. */
export interface InferStreamContext {
  readonly inference: Inference;
  readonly limits: RequestLimits;
  /** Requests that a stream holds at a time. */
  readonly window: number;
  /** How long one request may take, from its arrival. */
  readonly requestDeadlineMs: number;
  /** Called once when the stream is over. */
  onClose(): void;
}

/** One request of a stream. */
class StreamedRequest implements WindowItem {
  readonly id: string;
  readonly deadlineAt: number;
  heldBytes = 0;
  /** Undefined until there is one. */
  response: ModelStreamInferResponse | undefined;

  constructor(id: string, deadlineAt: number) {
    this.id = id.length > maxIdChars ? '' : id;
    this.deadlineAt = deadlineAt;
  }

  get isAnswered(): boolean {
    return this.response !== undefined;
  }
}

/** Each request has one response here, so each is the last one: clients of models with many responses look for that. */
const final: InferParameter = { parameterChoice: { $case: 'boolParam', value: true } };
const finalKey = 'triton_final_response';

/** One ModelStreamInfer call. A request that fails has its error in its response, and the stream goes on. */
export class InferStream implements CallHandler<ModelInferRequest> {
  readonly #call: Call<ModelStreamInferResponse>;
  readonly #context: InferStreamContext;
  readonly #window: StreamWindow<StreamedRequest, ModelInferResponse>;

  constructor(call: Call<ModelStreamInferResponse>, context: InferStreamContext) {
    this.#call = call;
    this.#context = context;
    this.#window = new StreamWindow(call, context.window, {
      answered: (request, answer) => {
        answer.parameters[finalKey] = final;
        request.response = { errorMessage: '', inferResponse: answer };
      },
      failed: (request, error) => {
        request.response = this.#failure(request, error);
      },
      write: ({ response }, onWritten) => {
        if (response !== undefined) call.send(response, onWritten);
      },
    });
  }

  onMessage(message: ModelInferRequest, bytes: number): void {
    if (!this.#window.received()) return;
    const request = this.#newRequest(message.id);
    this.#window.add(request, bytes, () => {
      const { inference, limits } = this.#context;
      const { deadlineAt } = request;
      const job = inferJobFrom(message, limits);
      return inference.infer(job, this.#call, { serviceClass: 'bulk', deadlineAt, whenFull: 'wait' });
    });
    this.#window.pump();
  }

  onMalformed(error: VerdictError): void {
    if (!this.#window.received()) return;
    this.#window.add(this.#newRequest(''), 0, () => {
      throw error;
    });
    this.#window.pump();
  }

  onHalfClose(): void {
    this.#window.halfClose();
  }

  onDrain(error: VerdictError): void {
    this.#window.stop(error);
  }

  onClose(): void {
    this.#window.close();
    this.#context.onClose();
  }

  #newRequest(id: string): StreamedRequest {
    const { requestDeadlineMs } = this.#context;
    return new StreamedRequest(id, Math.min(this.#call.deadlineAt, performance.now() + requestDeadlineMs));
  }

  /** The protocol has a message for an error and no more: code and reason are parameters, so that a program can tell what to do. */
  #failure({ id }: StreamedRequest, error: unknown): ModelStreamInferResponse {
    const { code, message } = this.#call.inputStatus(error);
    const { reason } = asVerdictError(error);
    return {
      errorMessage: message,
      inferResponse: {
        ...{ modelName: '', modelVersion: '', id, outputs: [], rawOutputContents: [] },
        parameters: {
          code: stringParameter(codeNames.get(code) ?? ''),
          reason: stringParameter(reason),
          [finalKey]: final,
        },
      },
    };
  }
}

function stringParameter(value: string): InferParameter {
  return { parameterChoice: { $case: 'stringParam', value } };
}
