import type { AddedModel } from '../app/add-model.js';
import { fileSize, whole } from './output/counted.js';

const MOST_LABELS = 8;

const ACTIVATIONS = {
  single_label_classification: 'softmax: one label',
  multi_label_classification: 'sigmoid: any number of labels',
  regression: 'none: a number',
} as const;

const BATCHES = {
  padded: 'any texts share a batch',
  equal_length: 'texts of one length share a batch',
  one_at_a_time: 'one text at a time',
} as const;

/** What was added, as a table of two columns: a line for each fact, so that none is cut. */
export function cardRows({ name, directory, origin, report, others, weightBytes }: AddedModel): string[][] {
  const { manifest } = report;
  if (manifest === undefined) return [];
  const { labels, problemType, maxTokens, modelType } = manifest;
  const shown = labels.slice(0, MOST_LABELS).join(', ');
  const more = labels.length > MOST_LABELS ? `, and ${whole(labels.length - MOST_LABELS)} more` : '';
  const rows = [
    ['model', name],
    ['folder', directory ?? ''],
    ...Object.entries(origin ?? {}),
    ['family', modelType ?? 'not told'],
    ['labels', `${whole(labels.length)}: ${shown}${more}`],
    ['activation', ACTIVATIONS[problemType]],
    ['reads', `up to ${whole(maxTokens)} tokens`],
  ];
  for (const { precision, batching, golden, speed, appliedActivation } of report.weights) {
    const facts = [
      fileSize(weightBytes[precision] ?? 0),
      BATCHES[batching],
      appliedActivation === undefined
        ? ''
        : `ends in a ${appliedActivation}, whose scores are used unchanged`,
      golden === undefined
        ? 'answers unchecked: no golden.json'
        : `known answers reproduced within ${golden.largestShift.toPrecision(3)}`,
      speed === undefined
        ? ''
        : `${whole(speed.inputsPerSecond)} texts/s of ${speed.tokens} tokens here, ${speed.batchSize} at a time`,
      speed?.peakBytes === undefined ? '' : `${fileSize(speed.peakBytes)} of memory`,
    ];
    const known = facts.filter((fact) => fact !== '');
    rows.push(...known.map((fact, at) => [at === 0 ? precision : '', fact]));
  }
  if (others.length > 0) rows.push(['left out', others.join(', ')]);
  return rows.filter(([, value]) => value !== '');
}

/** The same for programs. */
export function cardJson(added: AddedModel): object {
  const { name, directory, origin, report, others, weightBytes } = added;
  const { manifest, weights } = report;
  return {
    name,
    directory,
    ...origin,
    family: manifest?.modelType,
    labels: manifest?.labels,
    problemType: manifest?.problemType,
    maxTokens: manifest?.maxTokens,
    weights: weights.map(({ precision, batching, appliedActivation, golden, speed }) => ({
      precision,
      bytes: weightBytes[precision],
      batching,
      appliedActivation,
      goldenLargestShift: golden?.largestShift,
      ...speed,
    })),
    others,
  };
}
