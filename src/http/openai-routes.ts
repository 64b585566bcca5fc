import type { JsonObject, JsonValue } from '@bufbuild/protobuf';
import { invalidField, VerdictError } from '../errors.js';
import type { Moderation } from '../models/types.js';
import {
  batchMethod,
  batchRequest,
  type Classified,
  classifiedIn,
  fieldsOf,
  isText,
  isTexts,
  optional,
} from './batch.js';
import { FailedAnswer } from './failed-answer.js';
import { parseJson } from './request-body.js';
import type { Router } from './router.js';
import { type ExchangeParts, UnaryExchange, type UnaryProtocol } from './unary-exchange.js';

/** The categories that OpenAI's clients know. They want an answer for each; a model without one of them says no. */
const knownCategories = [
  'harassment',
  'harassment/threatening',
  'hate',
  'hate/threatening',
  'illicit',
  'illicit/violent',
  'self-harm',
  'self-harm/instructions',
  'self-harm/intent',
  'sexual',
  'sexual/minors',
  'violence',
  'violence/graphic',
] as const;

/** Names of OpenAI's own models, which its clients send unless they are told another one. */
const openaisModel = /^(omni|text)-moderation(-[a-z0-9.-]{1,32})?$/;

/** What OpenAI calls failures, by HTTP's code. */
const errorTypes: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  429: 'rate_limit_error',
};

/** `POST /v1/moderations`, which OpenAI's clients call. */
export function openaiRoutes(router: Router, parts: ExchangeParts): void {
  const method = batchMethod(parts.contract);
  router.on('POST', '/v1/moderations', ({ request, response }) =>
    UnaryExchange.run(request, response, parts, moderations(method, parts)),
  );
}

function moderations(method: UnaryProtocol['method'], { moderators }: ExchangeParts): UnaryProtocol {
  return {
    method,
    hasBody: true,
    requestOf: (body) => {
      const { input, model } = fieldsOf(parseJson(body));
      const name = modelOf(optional('model', model, isText, 'must be a text'), moderators);
      return batchRequest(textsIn(input), { model: name, options: { topK: 0 } });
    },
    answerOf: (answer) => {
      const classified = classifiedIn(answer);
      if (classified instanceof FailedAnswer) return classified;
      const { model = '', version = '' } = classified[0] ?? {};
      return {
        body: {
          id: `modr-${crypto.randomUUID()}`,
          model: `${model}:${version}`,
          results: classified.map((one) => resultOf(one, moderationOf(one, moderators))),
        },
      };
    },
    failureOf: ({ message = '', details }, httpCode) => ({
      httpCode,
      body: {
        error: {
          message,
          type: errorTypes[httpCode] ?? (httpCode < 500 ? 'invalid_request_error' : 'server_error'),
          param: null,
          code: reasonIn(details),
        },
      },
    }),
  };
}

/** A text, several, or parts of which each is one. @throws VerdictError invalid_argument */
function textsIn(input: JsonValue | undefined): readonly string[] {
  if (input === undefined) throw invalidField('input', 'must be set');
  if (isText(input)) return [input];
  if (isTexts(input)) return input;
  if (Array.isArray(input)) return input.map(textOfPart);
  throw invalidField('input', 'must be a text or an array of texts');
}

function textOfPart(part: JsonValue, index: number): string {
  if (typeof part === 'object' && part !== null && !Array.isArray(part)) {
    const { type, text } = part;
    if (type === 'text' && typeof text === 'string') return text;
  }
  throw invalidField(`input[${index}]`, 'must be a text: images are not moderated');
}

/** @throws VerdictError invalid_argument where no model is named, and none is meant */
function modelOf(given: string | undefined, moderators: ExchangeParts['moderators']): string {
  if (given !== undefined && !openaisModel.test(given)) return given;
  const name = moderators.usual();
  if (name === undefined)
    throw invalidField(
      'model',
      'must be the name of a model with a section moderation in its verdict.yaml: the default model has none',
    );
  return name;
}

function moderationOf({ model, version }: Classified, moderators: ExchangeParts['moderators']): Moderation {
  const moderation = moderators.of(model, version);
  if (moderation === undefined)
    throw new VerdictError(
      'invalid_argument',
      'model: must have a section moderation in its verdict.yaml, which says what its labels mean',
      { reason: 'INVALID_FIELD' },
    );
  return moderation;
}

/** A category has the highest score of its labels. */
function resultOf({ predictions }: Classified, { categories }: Moderation): JsonObject {
  const scores = new Map<string, number>(knownCategories.map((name) => [name, 0]));
  const flags = new Map<string, boolean>(knownCategories.map((name) => [name, false]));
  const inputTypes = new Map<string, string[]>(knownCategories.map((name) => [name, []]));
  for (const { name, labels, threshold } of categories) {
    const ofLabels = predictions.filter(({ label }) => labels.has(label)).map(({ score }) => score);
    const score = Math.max(0, ...ofLabels);
    scores.set(name, score);
    flags.set(name, score >= threshold);
    inputTypes.set(name, ['text']);
  }
  return {
    flagged: [...flags.values()].includes(true),
    categories: Object.fromEntries(flags),
    category_scores: Object.fromEntries(scores),
    category_applied_input_types: Object.fromEntries(inputTypes),
  };
}

/** The reason in the ErrorInfo, which is the first detail where there are any. */
function reasonIn(details: JsonValue | undefined): JsonValue {
  const [info] = Array.isArray(details) ? details : [];
  return typeof info === 'object' && info !== null && !Array.isArray(info) ? (info.reason ?? null) : null;
}
