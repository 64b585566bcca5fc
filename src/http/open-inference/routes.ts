import type { JsonObject, JsonValue } from '@bufbuild/protobuf';
import type { DirectMethod } from '../../rpc/direct-caller.js';
import { dataTypeName, directMethods } from '../../rpc/open-inference/direct-methods.js';
import { isBoolean, isText, optional } from '../batch.js';
import { parseJson } from '../parse-json.js';
import type { Incoming, Router, Verb } from '../router.js';
import {
  type ExchangeParts,
  type ProtocolAnswer,
  UnaryExchange,
  type UnaryProtocol,
} from '../unary-exchange.js';
import { jsonLengthHeader } from './binary-tail.js';
import { inferAnswer } from './infer-answer.js';
import { inferBodyFrom, type NamedModel } from './infer-body.js';
import { encodedWholeParameters, type Fields, fieldsIn, parametersIn } from './json-fields.js';

/**
 * The Open Inference Protocol over HTTP. Each request is a call of the method that answers the same over gRPC, so the rules of
 * `rpc/open-inference` hold here.
 */
export function openInferenceRoutes(router: Router, parts: ExchangeParts): void {
  const on = <Req, Res>(
    verb: Verb,
    path: string,
    protocolFor: (incoming: Incoming) => UnaryProtocol<Req, Res>,
  ) =>
    router.on(verb, path, (incoming) =>
      UnaryExchange.run(incoming.request, incoming.response, parts, protocolFor(incoming)),
    );
  on('GET', '/v2', serverMetadata);
  on('GET', '/v2/health/live', serverLive);
  on('GET', '/v2/health/ready', serverReady);
  for (const path of ['/v2/models/{model}', '/v2/models/{model}/versions/{version}']) {
    on('GET', path, modelMetadata);
    on('GET', `${path}/config`, modelConfig);
    on('GET', `${path}/ready`, modelReady);
    on('POST', `${path}/infer`, infer);
  }
  on('POST', '/v2/repository/index', repositoryIndex);
  on('POST', '/v2/repository/models/{model}/load', load);
  on('POST', '/v2/repository/models/{model}/unload', unload);
}

/** Whether a path is the protocol's, where there is such a one and where there is none. */
export function isOpenInferencePath(url: string): boolean {
  return /^\/v2(?:[/?]|$)/.test(url);
}

/** What the protocol says of a failure. */
export function openInferenceFailure(message: string): JsonValue {
  return { error: message };
}

function serverMetadata() {
  return bodiless(directMethods.serverMetadata, {}, ({ name, version, extensions }) => ({
    body: { name, version, extensions },
  }));
}

function serverLive() {
  return bodiless(directMethods.serverLive, {}, ({ live }) => ({ body: { live } }));
}

function serverReady() {
  return bodiless(directMethods.serverReady, {}, ({ ready }) => readiness(ready, { ready }));
}

function modelReady(incoming: Incoming) {
  const { model, version } = namedIn(incoming);
  return bodiless(directMethods.modelReady, { name: model, version }, ({ ready }) =>
    readiness(ready, { name: model, ready }),
  );
}

function modelMetadata(incoming: Incoming) {
  const { model, version } = namedIn(incoming);
  return bodiless(directMethods.modelMetadata, { name: model, version }, (answer) => {
    const tensors = (of: typeof answer.inputs): JsonValue =>
      of.map(({ name, datatype, shape }) => ({ name, datatype, shape: shape.map(Number) }));
    const { name, versions, platform, inputs, outputs } = answer;
    return { body: { name, versions, platform, inputs: tensors(inputs), outputs: tensors(outputs) } };
  });
}

function modelConfig(incoming: Incoming) {
  const { model, version } = namedIn(incoming);
  return bodiless(directMethods.modelConfig, { name: model, version }, ({ config }) => {
    const { name = '', platform = '', maxBatchSize = 0, input = [], output = [] } = config ?? {};
    const tensors = (of: typeof input): JsonValue =>
      of.map((tensor) => ({
        ...{ name: tensor.name, data_type: dataTypeName(tensor.dataType), dims: tensor.dims.map(Number) },
      }));
    const sizes = { max_batch_size: maxBatchSize };
    return { body: { name, platform, ...sizes, input: tensors(input), output: tensors(output) } };
  });
}

function infer(incoming: Incoming) {
  let isBinary: (place: number) => boolean;
  return withBody(
    directMethods.modelInfer,
    (body) => {
      const jsonLength = incoming.request.headers[jsonLengthHeader]?.toString();
      const read = inferBodyFrom(body, jsonLength, namedIn(incoming));
      isBinary = read.isBinary;
      return read.request;
    },
    (answer) => inferAnswer(answer, isBinary),
  );
}

function repositoryIndex() {
  return withBody(
    directMethods.repositoryIndex,
    (body) => {
      const { ready } = smallBodyIn(body, ['ready']);
      return {
        repositoryName: '',
        ready: optional('ready', ready, isBoolean, 'must be true or false') ?? false,
      };
    },
    ({ models }) => ({
      body: models.map(({ name, version, state, reason }) => ({ name, version, state, reason })),
    }),
  );
}

function load(incoming: Incoming) {
  return withBody(
    directMethods.load,
    (body) => changeIn(body, incoming),
    () => ({ body: {} }),
  );
}

function unload(incoming: Incoming) {
  return withBody(
    directMethods.unload,
    (body) => changeIn(body, incoming),
    () => ({ body: {} }),
  );
}

/** What a request to load or unload asks for. */
function changeIn(body: Buffer, incoming: Incoming) {
  const { parameters } = smallBodyIn(body, ['parameters']);
  return {
    repositoryName: '',
    modelName: namedIn(incoming).model,
    parameters: encodedWholeParameters('parameters', parametersIn('parameters', parameters)),
  };
}

/** No body is an empty request. */
function smallBodyIn(body: Buffer, known: readonly string[]): Fields {
  return body.length === 0 ? {} : fieldsIn('body', parseJson(body), known);
}

function namedIn({ params: { model = '', version = '' } }: Incoming): NamedModel {
  return { model, version };
}

/** Probes look at the code alone. */
function readiness(isReady: boolean, body: JsonValue): ProtocolAnswer {
  return { body, httpCode: isReady ? 200 : 503 };
}

function bodiless<Req, Res>(
  method: DirectMethod<Req, Res>,
  message: Req,
  answerOf: (answer: Res) => ProtocolAnswer,
): UnaryProtocol<Req, Res> {
  return { method, hasBody: false, requestOf: () => ({ message }), answerOf, failureOf };
}

function withBody<Req, Res>(
  method: DirectMethod<Req, Res>,
  requestOf: (body: Buffer) => Req,
  answerOf: (answer: Res) => ProtocolAnswer,
): UnaryProtocol<Req, Res> {
  return { method, hasBody: true, requestOf: (body) => ({ message: requestOf(body) }), answerOf, failureOf };
}

/** What gRPC has in a field of its own is the data of the input here. */
function failureOf({ message = '' }: JsonObject, httpCode: number): { httpCode: number; body: JsonValue } {
  const own = (isText(message) ? message : '').replace(/^raw_input_contents\[(\d+)\]/, 'inputs[$1].data');
  return { httpCode, body: openInferenceFailure(own) };
}
