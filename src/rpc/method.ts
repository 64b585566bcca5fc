import type { VerdictError } from '../errors.js';
import { deserializer, serializer } from './codec.js';
import type { InboundLimits } from './inbound-messages.js';
import type { MessageFields } from './message-fields.js';
import type { AnyRoute } from './route.js';
import { scanFields, unscannedBytes } from './scan-fields.js';
import type { RpcMethod } from './types.js';

/** A route with what its requests are held to. Made once; each call of the method has it. */
export class Method {
  readonly route: AnyRoute;
  /** As metrics and logs name it. */
  readonly name: RpcMethod;
  readonly limits: InboundLimits;
  /** What is counted before a request is decoded; undefined: nothing. */
  readonly fields: MessageFields | undefined;
  /** The message, or `malformed`. */
  readonly decode: (bytes: Buffer) => unknown;
  readonly encode: (message: unknown) => Buffer;

  constructor(route: AnyRoute, limits: InboundLimits, fields: MessageFields | undefined) {
    this.route = route;
    this.name = { service: route.service, method: route.method };
    this.limits = limits;
    this.fields = fields;
    this.decode = deserializer(route.requestType);
    this.encode = serializer(route.responseType);
  }

  /** What is wrong with a message that can be told before it is decoded. */
  problemOf(bytes: Buffer): VerdictError | undefined {
    if (this.fields === undefined || bytes.length <= unscannedBytes) return undefined;
    return scanFields(bytes, this.fields);
  }
}
