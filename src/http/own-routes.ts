import type { JsonObject } from '@bufbuild/protobuf';
import { VerdictError } from '../errors.js';
import { withBoundFields } from './bound-fields.js';
import type { Binding } from './contract.js';
import { parseJson } from './parse-json.js';
import type { Incoming, Router } from './router.js';
import { StreamExchange } from './stream-exchange.js';
import { type ExchangeParts, UnaryExchange, type UnaryProtocol } from './unary-exchange.js';

/** The routes of the contract's own `google.api.http` annotations: what Envoy's transcoder answers, without it. */
export function ownRoutes(router: Router, parts: ExchangeParts): void {
  for (const binding of parts.contract.bindings) {
    const { method, verb, template } = binding;
    router.on(verb, template, (incoming) => {
      const { request, response } = incoming;
      if (method.isStream) StreamExchange.run(request, response, parts, method);
      else UnaryExchange.run(request, response, parts, ownProtocol(binding, incoming));
    });
  }
}

function ownProtocol({ method, hasBody }: Binding, { params, query }: Incoming): UnaryProtocol {
  return {
    method,
    hasBody,
    requestOf: (body) => ({ message: withBoundFields(method.request, objectIn(body), params, query) }),
    answerOf: (answer) => ({ body: answer }),
    failureOf: (status, httpCode) => ({ httpCode, body: status }),
  };
}

/** No body is an empty request. @throws VerdictError invalid_argument */
function objectIn(body: Buffer): JsonObject {
  const json: unknown = body.length === 0 ? {} : parseJson(body);
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json as JsonObject;
  throw new VerdictError('invalid_argument', 'the body is not a JSON object', {
    reason: 'MALFORMED_MESSAGE',
  });
}
