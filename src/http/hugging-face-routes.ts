import type { JsonObject, JsonValue } from '@bufbuild/protobuf';
import { invalidField } from '../errors.js';
import { messageIn } from './answers.js';
import {
  batchMethod,
  batchRequest,
  classifiedIn,
  fieldsOf,
  type Input,
  isCount,
  isText,
  optional,
} from './batch.js';
import type { ContractMethod } from './contract.js';
import { FailedAnswer } from './failed-answer.js';
import { parseJson } from './parse-json.js';
import type { Router } from './router.js';
import { type ExchangeParts, UnaryExchange, type UnaryProtocol } from './unary-exchange.js';

/** The names of `function_to_apply`. */
const activations: Readonly<Record<string, string>> = {
  softmax: 'ACTIVATION_SOFTMAX',
  sigmoid: 'ACTIVATION_SIGMOID',
  none: 'ACTIVATION_NONE',
};

/**
 * The routes of Hugging Face's inference API for text classification, which `InferenceClient` calls: `/models/{model}`, and `/` for the
 * default model.
 */
export function huggingFaceRoutes(router: Router, parts: ExchangeParts): void {
  const method = batchMethod(parts.contract);
  for (const template of ['/', '/models/{model}']) {
    router.on('POST', template, ({ request, response, params }) =>
      UnaryExchange.run(request, response, parts, textClassification(method, params.model ?? '')),
    );
  }
}

function textClassification(method: ContractMethod, model: string): UnaryProtocol {
  return {
    method,
    hasBody: true,
    requestOf: (body) => {
      const { inputs, parameters } = fieldsOf(parseJson(body));
      return batchRequest(inputsIn(inputs), { model, options: optionsIn(parameters) });
    },
    // One list of labels for each input, also where there is one: so the client takes it.
    answerOf: (answer) => {
      const classified = classifiedIn(answer);
      if (classified instanceof FailedAnswer) return classified;
      return {
        body: classified.map((one) => one.predictions.map(({ label, score }) => ({ label, score }))),
      };
    },
    failureOf: (status, httpCode) => ({
      httpCode,
      body: { error: messageIn(status).replace(/^(inputs\[\d+\])\.text\b/, '$1') },
    }),
  };
}

/** @throws VerdictError invalid_argument */
function inputsIn(inputs: JsonValue | undefined): readonly Input[] {
  if (inputs === undefined) throw invalidField('inputs', 'must be set');
  return (Array.isArray(inputs) ? inputs : [inputs]).map(inputOf);
}

function inputOf(input: JsonValue): Input {
  if (isText(input)) return input;
  if (typeof input === 'object' && input !== null && !Array.isArray(input)) {
    const { text, text_pair: textPair } = input;
    if (typeof text === 'string' && textPair === undefined) return text;
    if (typeof text === 'string' && typeof textPair === 'string') return [text, textPair];
  }
  throw invalidField('inputs', 'must be a text, an object with text and text_pair, or an array of these');
}

/** @throws VerdictError invalid_argument */
function optionsIn(parameters: JsonValue | undefined): JsonObject {
  const { top_k: topK, function_to_apply: applied } = fieldsOf(parameters ?? {}, 'parameters');
  const count = optional('parameters.top_k', topK, isCount, 'must be a whole number above 0');
  const isKnown = (value: JsonValue): value is string => isText(value) && Object.hasOwn(activations, value);
  const names = Object.keys(activations).join(', ');
  const name = optional('parameters.function_to_apply', applied, isKnown, `must be one of ${names}`);
  const activation = name === undefined ? undefined : activations[name];
  return { topK: count ?? 0, ...(activation === undefined ? {} : { activation }) };
}
