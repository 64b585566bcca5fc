import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { encodedText, textFeeds } from '../../../src/preprocessing/text-preprocessor.js';
import type { Encoded } from '../../../src/runtime/feeds.js';
import type { SessionSpec } from '../../../src/runtime/types.js';

export interface GoldenEntry {
  readonly text: string;
  readonly text_pair?: string;
  readonly token_ids: readonly number[];
  readonly truncated: boolean;
  readonly logits: readonly number[];
}

/** A fixture model: its spec, and its golden entries as sessions take them. */
export interface FixtureModel {
  readonly spec: SessionSpec;
  readonly inputs: readonly Encoded[];
  readonly logits: readonly (readonly number[])[];
}

const SEPARATOR_ID = 3;

/** Reads test/fixtures/models/<name>/1. Tests run from the root of the repository. */
export function fixtureModel(name: string, file = 'model.onnx'): FixtureModel {
  const folder = resolve('test/fixtures/models', name, '1');
  const golden: { labels: string[]; entries: GoldenEntry[] } = JSON.parse(
    readFileSync(resolve(folder, 'golden.json'), 'utf8'),
  );
  return {
    spec: {
      modelPath: resolve(folder, 'onnx', file),
      device: 'cpu',
      deviceId: 0,
      intraOpThreads: 1,
      feeds: textFeeds(0),
      labelCount: golden.labels.length,
    },
    inputs: golden.entries.map((entry) =>
      encodedText({
        ids: Int32Array.from(entry.token_ids),
        pairStart:
          entry.text_pair === undefined ? entry.token_ids.length : entry.token_ids.indexOf(SEPARATOR_ID) + 1,
        truncated: entry.truncated,
      }),
    ),
    logits: golden.entries.map((entry) => entry.logits),
  };
}
