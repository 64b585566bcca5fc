import {
  InferTensorContents,
  type ModelInferResponse,
  type ModelInferResponse_InferOutputTensor as OutputTensor,
} from '../../../generated/inference/grpc_service.js';
import type { Classification, Prediction } from '../../classify/types.js';
import { VerdictError } from '../../errors.js';
import { writeElements } from './bytes-elements.js';
import type { InferJob, OutputName } from './infer-request.js';
import { type NumberType, writeNumbers } from './number-elements.js';

/** What fills up the row of a text of which fewer predictions passed `min_score` than of another. */
const noPrediction: Prediction = { label: '', score: 0, index: -1 };

/** The elements of an output, row by row; `width` is the length of a row. */
type Elements =
  | { readonly datatype: 'BYTES'; readonly width: number; readonly texts: string[] }
  | { readonly datatype: NumberType; readonly width: number; readonly numbers: number[] };

/**
 * The answers to a request as tensors.
 * @param answers in the order of the inputs, one at least
 * @throws VerdictError unavailable where the model was replaced between them
 */
export function inferResponse(job: InferJob, answers: readonly Classification[]): ModelInferResponse {
  const [first] = answers;
  if (first === undefined || answers.some((answer) => !isLike(answer, first))) throw versionChanged();
  const outputs: OutputTensor[] = [];
  const raw: Buffer[] = [];
  for (const { output, name } of job.outputs) {
    const elements = elementsOf(output, answers);
    const shape = [BigInt(answers.length), BigInt(elements.width)];
    const contents = job.isRaw ? undefined : contentsOf(elements);
    if (job.isRaw) raw.push(bytesOf(elements));
    outputs.push({ name, datatype: elements.datatype, shape, parameters: {}, contents });
  }
  return {
    modelName: first.model,
    modelVersion: first.version,
    id: job.id,
    parameters: {},
    outputs,
    rawOutputContents: raw,
  };
}

/** An answer of another version would have other labels under the same index. */
function isLike(answer: Classification, first: Classification): boolean {
  return answer.version === first.version && answer.logits.length === first.logits.length;
}

function elementsOf(output: OutputName, answers: readonly Classification[]): Elements {
  if (output === 'logits') {
    const numbers = answers.flatMap(({ logits }) => [...logits]);
    return { datatype: 'FP32', width: numbers.length / answers.length, numbers };
  }
  const width = Math.max(...answers.map(({ predictions }) => predictions.length));
  const rowByRow = <T>(part: (prediction: Prediction) => T): T[] => {
    const values: T[] = [];
    for (const { predictions } of answers)
      for (let at = 0; at < width; at++) values.push(part(predictions[at] ?? noPrediction));
    return values;
  };
  switch (output) {
    case 'label':
      return { datatype: 'BYTES', width, texts: rowByRow(({ label }) => label) };
    case 'score':
      return { datatype: 'FP32', width, numbers: rowByRow(({ score }) => score) };
    case 'index':
      return { datatype: 'INT32', width, numbers: rowByRow(({ index }) => index) };
  }
}

function contentsOf(elements: Elements): InferTensorContents {
  const contents = InferTensorContents.create();
  switch (elements.datatype) {
    case 'BYTES':
      contents.bytesContents = elements.texts.map((text) => Buffer.from(text));
      break;
    case 'FP32':
      contents.fp32Contents = elements.numbers;
      break;
    case 'INT32':
      contents.intContents = elements.numbers;
      break;
  }
  return contents;
}

function bytesOf(elements: Elements): Buffer {
  return elements.datatype === 'BYTES'
    ? writeElements(elements.texts)
    : writeNumbers(elements.datatype, elements.numbers);
}

function versionChanged(): VerdictError {
  return new VerdictError('unavailable', 'the model was replaced while the request was under way', {
    reason: 'VERSION_CHANGED',
  });
}
