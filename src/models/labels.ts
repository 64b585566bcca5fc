import { isJsonObject, type JsonObject } from './json-file.js';
import { ModelLoadError } from './model-load-error.js';
import type { ProblemType } from './types.js';

const PROBLEM_TYPES: readonly ProblemType[] = [
  'single_label_classification',
  'multi_label_classification',
  'regression',
];

/** More than this means a damaged file: every answer holds a score for each label. */
const MOST_LABELS = 65_536;

/**
 * The label names that config.json gives, in the order of the logits. Transformers leaves `id2label` out where the names
 * are the default ones: undefined then, and `defaultLabels` names them once their number is known.
 * @throws ModelLoadError naming the field
 */
export function readLabels(path: string, config: JsonObject): string[] | undefined {
  const { id2label } = config;
  if (id2label === undefined || id2label === null) return undefined;
  if (!isJsonObject(id2label) || Object.keys(id2label).length === 0) {
    throw new ModelLoadError(path, 'id2label must map 0, 1, ... to label names');
  }
  const { length } = Object.keys(id2label);
  if (length > MOST_LABELS) {
    throw new ModelLoadError(path, `id2label names ${length} labels; expected at most ${MOST_LABELS}`);
  }
  const labels = Array.from({ length }, (_, index) => {
    const label = id2label[String(index)];
    if (typeof label !== 'string' || label === '') {
      throw new ModelLoadError(path, `id2label.${index} must be a label name`);
    }
    return label;
  });
  checkCount(path, config, labels.length, `id2label names ${labels.length} labels`);
  return labels;
}

/**
 * The names that Transformers gives labels without names.
 * @param count width of the model's output
 * @throws ModelLoadError where config.json speaks of another number
 */
export function defaultLabels(path: string, config: JsonObject, count: number): string[] {
  if (!Number.isInteger(count) || count < 1 || count > MOST_LABELS) {
    throw new ModelLoadError(
      path,
      `the model's output is ${count} wide; expected 1 to ${MOST_LABELS} labels`,
    );
  }
  checkCount(path, config, count, `the model's output is ${count} wide`);
  return Array.from({ length: count }, (_, index) => `LABEL_${index}`);
}

function checkCount(path: string, config: JsonObject, count: number, found: string): void {
  const { num_labels: named } = config;
  if (typeof named === 'number' && named !== count) {
    throw new ModelLoadError(path, `num_labels is ${named}, but ${found}: one of them is wrong`);
  }
}

/**
 * What kind of answer the model gives, as the text-classification pipeline of Transformers decides it: one label that is
 * no regression is a yes or no of its own (sigmoid); without `problem_type`, several labels exclude each other.
 * @throws ModelLoadError naming the field
 */
export function readProblemType(path: string, config: JsonObject, labelCount: number): ProblemType {
  const given = config.problem_type;
  const known = PROBLEM_TYPES.find((type) => type === given);
  if (known === undefined && given !== undefined && given !== null) {
    throw new ModelLoadError(path, `problem_type must be one of ${PROBLEM_TYPES.join(', ')}`);
  }
  if (labelCount === 1 && known !== 'regression') return 'multi_label_classification';
  return known ?? 'single_label_classification';
}
