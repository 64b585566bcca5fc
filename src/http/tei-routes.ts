import type { JsonObject, JsonValue } from '@bufbuild/protobuf';
import { invalidField, VerdictError } from '../errors.js';
import { charsOf } from '../rpc/tei/predict-request.js';
import {
  batchMethod,
  batchRequest,
  type Classified,
  classifiedIn,
  fieldsOf,
  type Input,
  isBoolean,
  isText,
  isTexts,
  optional,
} from './batch.js';
import { FailedAnswer } from './failed-answer.js';
import { parseJson } from './parse-json.js';
import type { Router } from './router.js';
import { type ExchangeParts, UnaryExchange, type UnaryProtocol } from './unary-exchange.js';

/** What text-embeddings-inference calls its failures, and answers them with, by code of google.rpc.Code. */
const failures: Readonly<Record<number, readonly [errorType: string, httpCode: number]>> = {
  3: ['Validation', 413],
  8: ['Overloaded', 429],
  13: ['Backend', 424],
  14: ['Unhealthy', 503],
};

/**
 * The routes of text-embeddings-inference for classifiers: `POST /predict`, `GET /info` and `GET /health`. The default model answers,
 * and its scores follow its problem type, where text-embeddings-inference always takes a softmax.
 */
export function teiRoutes(router: Router, parts: ExchangeParts): void {
  const { contract } = parts;
  const predict = batchMethod(contract);
  const list = contract.method('/verdict.v1.ModelService/ListModels');
  const check = contract.method('/grpc.health.v1.Health/Check');
  router.on('POST', '/predict', ({ request, response }) =>
    UnaryExchange.run(request, response, parts, predictProtocol(predict)),
  );
  router.on('GET', '/info', ({ request, response }) =>
    UnaryExchange.run(request, response, parts, {
      method: list,
      hasBody: false,
      requestOf: () => ({ message: {} }),
      answerOf: (answer) => ({ body: infoOf(answer, parts) }),
      failureOf,
    }),
  );
  router.on('GET', '/health', ({ request, response }) =>
    UnaryExchange.run(request, response, parts, {
      method: check,
      hasBody: false,
      requestOf: () => ({ message: {} }),
      answerOf: ({ status }) => {
        if (status !== 'SERVING') throw unhealthy();
        return { body: {} };
      },
      failureOf,
    }),
  );
}

function predictProtocol(method: UnaryProtocol['method']): UnaryProtocol {
  let isBatch = false;
  let chars = 0;
  return {
    method,
    hasBody: true,
    requestOf: (body) => {
      const fields = fieldsOf(parseJson(body));
      const read = inputsIn(fields.inputs);
      isBatch = read.isBatch;
      chars = charsIn(read.inputs);
      const request = batchRequest(read.inputs, { model: '', options: optionsIn(fields) });
      return { ...request, isInteractive: !isBatch };
    },
    answerOf: (answer) => {
      const classified = classifiedIn(answer);
      if (classified instanceof FailedAnswer) return classified;
      const predictions = classified.map((one) =>
        one.predictions.map(({ score, label }) => ({ score, label })),
      );
      return {
        body: isBatch ? predictions : (predictions[0] ?? []),
        headers: measured(classified, chars),
      };
    },
    failureOf,
  };
}

/**
 * A text, a pair of texts, or a batch of both, each in an array of its own.
 * @throws VerdictError invalid_argument
 */
function inputsIn(inputs: JsonValue | undefined): {
  readonly inputs: readonly Input[];
  readonly isBatch: boolean;
} {
  if (inputs === undefined) throw invalidField('inputs', 'must be set');
  if (isText(inputs)) return { inputs: [inputs], isBatch: false };
  if (!Array.isArray(inputs) || inputs.length === 0) throw malformedInputs();
  if (isTexts(inputs)) return { inputs: [oneOrTwo(inputs)], isBatch: false };
  return {
    inputs: inputs.map((one) => {
      if (!isTexts(one)) throw malformedInputs();
      return oneOrTwo(one);
    }),
    isBatch: true,
  };
}

function oneOrTwo([first, second, ...more]: readonly string[]): Input {
  if (first === undefined || more.length > 0) throw malformedInputs();
  return second === undefined ? first : [first, second];
}

function malformedInputs(): VerdictError {
  const forms = 'a text, an array of one or two texts, or an array of such arrays';
  return invalidField('inputs', `must be ${forms}`);
}

/** @throws VerdictError invalid_argument */
function optionsIn(fields: Readonly<Record<string, JsonValue | undefined>>): JsonObject {
  const flag = (field: string) => optional(field, fields[field], isBoolean, 'must be true or false');
  const truncate = flag('truncate');
  const side = optional(
    'truncation_direction',
    fields.truncation_direction,
    isText,
    'must be a text',
  )?.toLowerCase();
  if (side !== undefined && side !== 'left' && side !== 'right')
    throw invalidField('truncation_direction', 'must be Left or Right');
  return {
    topK: 0,
    ...(flag('raw_scores') === true ? { activation: 'ACTIVATION_NONE' } : {}),
    ...(truncate === false
      ? { truncation: 'TRUNCATION_REJECT' }
      : side === undefined
        ? {}
        : { truncation: side === 'left' ? 'TRUNCATION_START' : 'TRUNCATION_END' }),
  };
}

function charsIn(inputs: readonly Input[]): number {
  return inputs.flat().reduce((sum, text) => sum + charsOf(text), 0);
}

/** Sums, and means of whole milliseconds: 0 for a caller who may not see times, as over gRPC. */
function measured(classified: readonly Classified[], chars: number): Record<string, string> {
  const mean = (of: (one: Classified) => number) =>
    String(Math.round(classified.reduce((sum, one) => sum + of(one), 0) / Math.max(1, classified.length)));
  return {
    'x-compute-characters': String(chars),
    'x-compute-tokens': String(classified.reduce((sum, { tokenCount }) => sum + tokenCount, 0)),
    'x-total-time': mean(({ timings }) => timings?.totalMs ?? 0),
    'x-tokenization-time': mean(({ timings }) => timings?.tokenizeMs ?? 0),
    'x-queue-time': mean(({ timings }) => timings?.queueMs ?? 0),
    'x-inference-time': mean(({ timings }) => timings?.inferenceMs ?? 0),
  };
}

interface DescribedModel {
  readonly name: string;
  readonly isDefault: boolean;
  readonly servingVersion: string;
  readonly versions: readonly {
    readonly version: string;
    readonly labels: readonly string[];
    readonly limits?: { readonly maxTokens: number; readonly batchBudgetTokens: number };
    readonly precision: string;
    readonly digest: string;
    readonly instances: number;
  }[];
}

/** @throws VerdictError not_found where the caller may not use the default model */
function infoOf(answer: JsonObject, { about }: ExchangeParts): JsonValue {
  const { models } = answer as unknown as { readonly models: readonly DescribedModel[] };
  const model = models.find(({ isDefault }) => isDefault);
  const serving = model?.versions.find(({ version }) => version === model.servingVersion);
  if (model === undefined || serving === undefined)
    throw new VerdictError('not_found', 'the default model is not there', { reason: 'MODEL_NOT_FOUND' });
  return {
    model_id: model.name,
    model_sha: serving.digest,
    model_dtype: dtypes[serving.precision] ?? serving.precision,
    model_type: {
      classifier: {
        id2label: Object.fromEntries(serving.labels.map((label, index) => [String(index), label])),
        label2id: Object.fromEntries(serving.labels.map((label, index) => [label, index])),
      },
    },
    max_input_length: serving.limits?.maxTokens ?? 0,
    max_concurrent_requests: about.streamWindow,
    max_batch_tokens: serving.limits?.batchBudgetTokens ?? 0,
    max_batch_requests: null,
    max_client_batch_size: about.maxBatchInputs,
    // Models share them, so their number says nothing about this one.
    tokenization_workers: 0,
    auto_truncate: true,
    version: about.version,
  };
}

const dtypes: Readonly<Record<string, string>> = { fp32: 'float32', fp16: 'float16' };

function failureOf(
  { code, message = '' }: JsonObject,
  httpCode: number,
): { httpCode: number; body: JsonValue } {
  const others = httpCode < 500 ? 'Validation' : 'Backend';
  const known = httpCode === 413 ? undefined : failures[Number(code)];
  const [errorType, teis] = known ?? [others, httpCode];
  return { httpCode: teis, body: { error: message, error_type: errorType } };
}

function unhealthy(): VerdictError {
  return new VerdictError('unavailable', 'unhealthy', { reason: 'NO_INSTANCE' });
}
