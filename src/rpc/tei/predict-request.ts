import { type PredictPairRequest, TruncationDirection } from '../../../generated/tei/v1/tei.js';
import type { ClassifyOptions, InputRequest } from '../../classify/types.js';
import { VerdictError } from '../../errors.js';
import type { TextInput } from '../../tokenizer/types.js';
import type { RequestLimits } from '../server-options.js';
import { invalidFields, refuse, textProblem, type Violations } from '../validation.js';

/** A request for one text or a pair, checked. */
export interface PredictJob {
  readonly input: TextInput;
  readonly options: ClassifyOptions;
  /** Of all its texts. */
  readonly chars: number;
}

/** @throws VerdictError invalid_argument that names every bad field */
export function predictJobFrom(request: PredictPairRequest, limits: RequestLimits): PredictJob {
  const violations: Violations = [];
  const [text = '', textPair, ...more] = request.inputs;
  if (request.inputs.length === 0 || more.length > 0)
    violations.push({
      field: 'inputs',
      description: `must have one text or two, has ${request.inputs.length}`,
    });
  else
    for (const one of request.inputs) {
      const description = textProblem(one, limits);
      if (description !== undefined) violations.push({ field: 'inputs', description });
    }
  const isLeft = request.truncationDirection === TruncationDirection.LEFT;
  if (!isLeft && request.truncationDirection !== TruncationDirection.RIGHT)
    violations.push({ field: 'truncation_direction', description: 'must be 0 or 1' });
  refuse(violations);
  const side = isLeft ? 'start' : 'end';
  return {
    input: textPair === undefined ? { text } : { text, textPair },
    options: {
      topK: 0,
      minScore: undefined,
      activation: request.rawScores ? 'none' : undefined,
      truncation: request.truncate ? side : 'reject',
      cache: 'use',
    },
    chars: charsOf(text) + charsOf(textPair ?? ''),
  };
}

/** @param routingKey of the call */
export function inputRequestOf({ input, options }: PredictJob, routingKey: string | undefined): InputRequest {
  return { model: '', version: '', input, options, routingKey };
}

/** Characters of Unicode, of which some take two UTF-16 units. */
export function charsOf(text: string): number {
  let chars = text.length;
  for (let at = 0; at < text.length; at++) if ((text.charCodeAt(at) & 0xfc00) === 0xd800) chars--;
  return chars;
}

/** The error with its fields named as this interface has them. */
export function locatedInPredict(error: unknown): unknown {
  if (!(error instanceof VerdictError) || error.violations.length === 0) return error;
  const violations = error.violations.map(({ field, description }) => ({
    field: field === 'options.activation' ? 'raw_scores' : 'inputs',
    description,
  }));
  return invalidFields(violations, error);
}
