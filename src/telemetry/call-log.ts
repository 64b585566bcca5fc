import type { CallObserver, HandledCall, Interceptor } from '../rpc/types.js';
import { errorFields } from './error-fields.js';
import type { Log } from './types.js';

/** The access log: a line for each call that ended, and one with the cause for each that failed inside. */
export class CallLog implements Interceptor, CallObserver {
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  intercept(): CallObserver {
    return this;
  }

  onEnd(call: HandledCall): void {
    this.#log.call(call);
    const { requestId, service, method, code, cause } = call;
    if (code !== 'INTERNAL' && code !== 'UNKNOWN') return;
    const fields = { request_id: requestId, service, method, code, error: errorFields(cause) };
    this.#log.error(fields, 'call failed');
  }
}
