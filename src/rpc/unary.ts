import type { MaybePromise } from '../concurrency/maybe-promise.js';
import type { VerdictError } from '../errors.js';
import type { Call, CallHandler } from './route.js';
import { unimplemented } from './status.js';

/** Answers one request. */
export type UnaryMethod<Req, Res> = (request: Req, call: Call<Res>) => MaybePromise<Res>;

function ignoreWritten(): void {}

/** One request, one response. The answer and the status leave together: the caller gets both in one write. */
export class UnaryCall<Req, Res> implements CallHandler<Req> {
  readonly #call: Call<Res>;
  readonly #method: UnaryMethod<Req, Res>;
  #request: Req | undefined;
  #running = false;

  constructor(call: Call<Res>, method: UnaryMethod<Req, Res>) {
    this.#call = call;
    this.#method = method;
  }

  onMessage(request: Req, bytes: number): void {
    if (this.#request !== undefined) {
      this.#call.end(unimplemented({ message: 'more than one request', reason: 'TOO_MANY_MESSAGES' }));
      return;
    }
    this.#request = request;
    this.#call.hold(bytes);
    this.#call.read();
  }

  onHalfClose(): void {
    if (this.#request === undefined) {
      this.#call.end(unimplemented({ message: 'no request', reason: 'NO_MESSAGE' }));
      return;
    }
    this.#running = true;
    this.#call.trace?.stage('receive', this.#call.arrivedAt, performance.now());
    const answer = this.#method(this.#request, this.#call);
    if (answer instanceof Promise) {
      answer.then(
        (response) => this.#respond(response),
        (error: unknown) => this.#call.fail(error),
      );
    } else {
      this.#respond(answer);
    }
  }

  onDrain(error: VerdictError): void {
    if (!this.#running) this.#call.fail(error);
  }

  #respond(response: Res): void {
    this.#call.send(response, ignoreWritten);
    this.#call.finish();
  }
}
