import type { CallObserver, HandledCall, Interceptor } from '../rpc/types.js';
import { errorFields } from './error-fields.js';
import { traceFields } from './trace-fields.js';
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
    const { requestId, service, method, code, trace, cause } = call;
    if (code !== 'INTERNAL' && code !== 'UNKNOWN') return;
    const ids = { request_id: requestId, ...traceFields(trace) };
    const fields = { ...ids, service, method, code, error: errorFields(cause) };
    this.#log.error(fields, 'call failed');
  }
}
