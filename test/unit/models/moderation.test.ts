import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { readModeration } from '../../../src/models/moderation.js';
import type { ProblemType } from '../../../src/models/types.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const labels = ['toxic', 'threat', 'insult'];

function read(t: TestContext, content?: string, problemType: ProblemType = 'multi_label_classification') {
  const folder = temporaryFolder(t);
  if (content !== undefined) writeFileSync(join(folder, 'verdict.yaml'), content);
  return readModeration(folder, labels, problemType);
}

const category = (text: string) => `moderation: { categories: { hate: ${text} } }`;

describe('the section moderation of verdict.yaml', () => {
  it('may be missing, like the file', async (t) => {
    assert.equal(await read(t), undefined);
    assert.equal(await read(t, '{}'), undefined);
  });

  it('says which labels mean a category, and from which score on', async (t) => {
    const found = await read(
      t,
      'moderation:\n  categories:\n    harassment: { labels: [toxic, insult], threshold: 0.7 }\n    hate/threatening: { labels: [threat] }\n',
    );
    assert.deepEqual(found?.categories, [
      { name: 'harassment', labels: new Set(['toxic', 'insult']), threshold: 0.7 },
      { name: 'hate/threatening', labels: new Set(['threat']), threshold: 0.5 },
    ]);
  });

  const wrong: readonly (readonly [content: string, problem: RegExp])[] = [
    ['', /must hold a mapping/],
    ['- 1', /must hold a mapping/],
    ['a: [', /is not valid YAML/],
    ['a: &a [*a, *a]', /has a field other than moderation/],
    ['moderator: {}', /has a field other than moderation/],
    ['moderation: 1', /moderation: must be a mapping/],
    ['moderation: {}', /moderation.categories: must be a mapping/],
    ['moderation: { categories: {} }', /must have 1 to 64 categories/],
    ['moderation: { categories: { hate: { labels: [toxic] } }, flags: 1 }', /a field other than categories/],
    ['moderation: { categories: { "Hate Speech": { labels: [toxic] } } }', /names must be like self-harm/],
    [
      'moderation: { categories: { __proto__: { labels: [toxic] } } }',
      /names must be like|must have 1 to 64/,
    ],
    [category('[toxic]'), /hate: must be a mapping/],
    [category('{}'), /hate.labels: must be a list of labels/],
    [category('{ labels: [] }'), /hate.labels: must be a list of labels/],
    [category('{ labels: [toxic, nonsense] }'), /hate.labels\[1\]: is no label of the model/],
    [category('{ labels: [toxic], threshold: 0 }'), /hate.threshold: must be a number above 0 and at most 1/],
    [category('{ labels: [toxic], threshold: .nan }'), /hate.threshold: must be a number/],
    [category('{ labels: [toxic], threshold: "0.5" }'), /hate.threshold: must be a number/],
    [category('{ labels: [toxic], treshold: 0.5 }'), /a field other than labels and threshold/],
    [`# ${'x'.repeat(65_536)}`, /must have at most 65536 bytes/],
  ];
  for (const [content, problem] of wrong) {
    it(`is refused: ${content.slice(0, 70)}`, async (t) => {
      await assert.rejects(read(t, content), { name: 'ModelLoadError', message: problem });
    });
  }

  it('is refused where scores are no probabilities', async (t) => {
    await assert.rejects(read(t, category('{ labels: [toxic] }'), 'regression'), /not regression/);
  });
});
