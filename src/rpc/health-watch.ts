import type {
  HealthCheckRequest,
  HealthCheckResponse,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from '../../generated/grpc/health/v1/health.js';
import type { VerdictError } from '../errors.js';
import type { Call, CallHandler } from './route.js';
import { unimplemented } from './status.js';

/** What a watch needs of the health it watches. */
export interface WatchedHealth {
  statusOf(name: string): ServingStatus;
  onClose(): void;
}

/**
 * One Health Watch call: the status of a name now, and again whenever it has changed. A watcher that does not read
 * costs one message: changes that it could not take are told as the status that holds when it can.
 */
export class HealthWatch implements CallHandler<HealthCheckRequest> {
  readonly #call: Call<HealthCheckResponse>;
  readonly #health: WatchedHealth;
  #name: string | undefined;
  #told: ServingStatus | undefined;
  #writing = false;

  constructor(call: Call<HealthCheckResponse>, health: WatchedHealth) {
    this.#call = call;
    this.#health = health;
  }

  onMessage(request: HealthCheckRequest): void {
    this.#name = request.service;
    this.onChange();
  }

  onHalfClose(): void {
    this.#call.end(unimplemented({ message: 'no request', reason: 'NO_MESSAGE' }));
  }

  /** The status may have changed. */
  onChange(): void {
    if (this.#name === undefined || this.#writing) return;
    const status = this.#health.statusOf(this.#name);
    if (status === this.#told) return;
    this.#told = status;
    this.#writing = true;
    this.#call.send({ status }, this.#onWritten);
  }

  onDrain(error: VerdictError): void {
    this.#call.fail(error);
  }

  onClose(): void {
    this.#health.onClose();
  }

  readonly #onWritten = (): void => {
    this.#writing = false;
    this.onChange();
  };
}
