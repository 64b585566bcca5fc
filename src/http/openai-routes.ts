import type { JsonObject, JsonValue } from '@bufbuild/protobuf';
import { invalidField, VerdictError } from '../errors.js';
import type { Moderation } from '../models/types.js';
import { messageIn, reasonIn } from './answers.js';
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
import { parseJson } from './parse-json.js';
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
  let isOne = false;
  return {
    method,
    hasBody: true,
    requestOf: (body) => {
      const { input, model } = fieldsOf(parseJson(body));
      const name = modelOf(optional('model', model, isText, 'must be a text'), moderators);
      const { texts, areParts } = textsIn(input);
      isOne = areParts;
      return batchRequest(texts, { model: name, options: { topK: 0 } });
    },
    answerOf: (answer) => {
      const classified = classifiedIn(answer);
      if (classified instanceof FailedAnswer) return classified;
      const { model = '', version = '' } = classified[0] ?? {};
      const moderationOf = moderationsIn(moderators);
      return {
        body: {
          id: `modr-${crypto.randomUUID()}`,
          model: `${model}:${version}`,
          results: (isOne ? [classified] : classified.map((one) => [one])).map((parts) =>
            resultOf(parts, moderationOf),
          ),
        },
      };
    },
    failureOf: (status, httpCode) => ({
      httpCode,
      body: {
        error: {
          message: inOwnWords(messageIn(status)),
          type: errorTypes[httpCode] ?? (httpCode < 500 ? 'invalid_request_error' : 'server_error'),
          param: null,
          code: reasonIn(status) ?? null,
        },
      },
    }),
  };
}

/** A text, several, or the parts of one input. @throws VerdictError invalid_argument */
function textsIn(input: JsonValue | undefined): {
  readonly texts: readonly string[];
  readonly areParts: boolean;
} {
  if (input === undefined) throw invalidField('input', 'must be set');
  if (isText(input)) return { texts: [input], areParts: false };
  if (isTexts(input)) return { texts: input, areParts: false };
  if (Array.isArray(input)) return { texts: input.map(textOfPart), areParts: true };
  throw invalidField('input', 'must be a text or an array of texts');
}

function textOfPart(part: JsonValue, index: number): string {
  if (typeof part === 'object' && part !== null && !Array.isArray(part)) {
    const { type, text } = part;
    if (type === 'text' && typeof text === 'string') return text;
  }
  throw invalidField(`input[${index}]`, 'must be a part of type text: images are not moderated');
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

/** Looks each version up once: an answer may have thousands of parts. @throws VerdictError invalid_argument, from what it returns */
function moderationsIn(moderators: ExchangeParts['moderators']): (part: Classified) => Moderation {
  const known = new Map<string, Moderation>();
  return ({ model, version }) => {
    const moderation = known.get(version) ?? moderators.of(model, version);
    if (moderation === undefined)
      throw new VerdictError(
        'invalid_argument',
        'model: must have a section moderation in its verdict.yaml, which says what its labels mean',
        { reason: 'INVALID_FIELD' },
      );
    known.set(version, moderation);
    return moderation;
  };
}

/** A message about an input, which is `input` here, or one of several. */
function inOwnWords(message: string): string {
  return message.replace(/^inputs\b/, 'input').replace(/^(input(\[\d+\])?)\.text\b/, '$1');
}

/**
 * Of one input. A category has the highest score of its labels in any part, and is flagged if a part is: each by the version that
 * answered it, since traffic may divide them.
 */
function resultOf(parts: readonly Classified[], moderationOf: (part: Classified) => Moderation): JsonObject {
  const scores = new Map<string, number>(knownCategories.map((name) => [name, 0]));
  const flags = new Map<string, boolean>(knownCategories.map((name) => [name, false]));
  const inputTypes = new Map<string, string[]>(knownCategories.map((name) => [name, []]));
  for (const part of parts) {
    for (const { name, labels, threshold } of moderationOf(part).categories) {
      const ofLabels = part.predictions.filter(({ label }) => labels.has(label)).map(({ score }) => score);
      const score = Math.max(0, ...ofLabels);
      scores.set(name, Math.max(score, scores.get(name) ?? 0));
      flags.set(name, score >= threshold || flags.get(name) === true);
      inputTypes.set(name, ['text']);
    }
  }
  return {
    flagged: [...flags.values()].includes(true),
    categories: Object.fromEntries(flags),
    category_scores: Object.fromEntries(scores),
    category_applied_input_types: Object.fromEntries(inputTypes),
  };
}
