import assert from 'node:assert/strict';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { VerdictClient } from '../../clients/typescript/src/index.js';
import { repositoryRoot } from '../support/repository.js';
import { ServerProcess } from '../support/server-process.js';

interface GoldenFile {
  readonly labels: readonly string[];
  readonly tolerance: Readonly<Record<string, number>>;
  readonly entries: readonly {
    readonly text: string;
    readonly text_pair?: string;
    readonly token_ids: readonly number[];
    readonly truncated: boolean;
    readonly logits: readonly number[];
  }[];
}

const models = ['sentiment', 'intent', 'emotion'] as const;
const versionOf = (model: string) => join(repositoryRoot, 'models', model, '1');

/** What nobody doubts, of products, food, films, services, a bank and feelings. */
const clear = {
  sentiment: {
    POSITIVE: [
      'This movie was absolutely fantastic!',
      'Five stars, would buy again.',
      "It's not bad at all.",
      'The food was delicious and the staff were friendly.',
      'Works perfectly, highly recommended.',
      'I love this phone.',
    ],
    NEGATIVE: [
      'This was terrible.',
      'It broke after two days and nobody answers my emails.',
      'The soup was cold and the waiter was rude.',
      'A complete waste of money.',
      'The plot is boring and the acting is awful.',
      'One star. Never again.',
    ],
  },
  intent: {
    card_arrival: ['My card still has not arrived.'],
    lost_or_stolen_card: ['I lost my card, please help!'],
    exchange_rate: ['What is the exchange rate?'],
    change_pin: ['How can I change my PIN?'],
  },
  emotion: {
    gratitude: ['Thank you so much for your help!'],
    love: ['I love you so much!'],
    sadness: ['I miss her, I have been crying all day.'],
    amusement: ['Haha, that is hilarious, lol'],
    anger: ['I fucking hate this, I am so angry!'],
    surprise: ['Wow, I did not expect that at all!'],
  },
} as const;

describe('the embedded models', () => {
  let server: ServerProcess;
  let client: VerdictClient;

  before(async () => {
    server = await ServerProcess.start();
    client = new VerdictClient({ address: server.address });
  });

  after(async () => {
    client.close();
    await server.stop();
  });

  it('are small: 20 MB each at most, 50 MB in all', async () => {
    const sizes = await Promise.all(models.map((model) => folderBytes(versionOf(model))));
    for (const [index, bytes] of sizes.entries()) assert.ok(bytes <= 20e6, `${models[index]}: ${bytes}`);
    const total = sizes.reduce((sum, bytes) => sum + bytes, 0);
    assert.ok(total <= 50e6, `${total} bytes in all`);
  });

  it('are served in int8, any texts in a batch', async () => {
    for (const model of models) {
      const [version] = (await client.getModel(model)).versions;
      assert.deepEqual([version?.precision, version?.batching], ['int8', 'padded'], model);
    }
  });

  for (const model of models) {
    it(`${model} answers as PyTorch recorded: labels, token counts, logits`, async () => {
      const golden: GoldenFile = JSON.parse(await readFile(join(versionOf(model), 'golden.json'), 'utf8'));
      const tolerance = golden.tolerance.int8 ?? 0;
      assert.ok(golden.entries.length >= 30, `only ${golden.entries.length} entries`);
      for (const entry of golden.entries) {
        const input =
          entry.text_pair === undefined
            ? { text: entry.text }
            : { text: entry.text, textPair: entry.text_pair };
        const answer = await client.classify(input, { model, topK: 0, activation: 'none' });
        const byIndex = [...answer.predictions].sort((a, b) => a.index - b.index);
        const logits = byIndex.map(({ score }) => score);
        assert.deepEqual(
          byIndex.map(({ label }) => label),
          golden.labels,
        );
        assert.deepEqual(holding(model, logits), holding(model, entry.logits), entry.text);
        assert.equal(answer.tokenCount, entry.token_ids.length);
        assert.equal(answer.truncated, entry.truncated);
        const shift = Math.max(
          ...entry.logits.map((logit, index) => Math.abs(logit - (logits[index] ?? Number.NaN))),
        );
        assert.ok(shift <= tolerance, `a logit differs by ${shift}, ${tolerance} allowed`);
      }
    });

    it(`${model} is right about what nobody doubts`, async () => {
      for (const [label, texts] of Object.entries(clear[model])) {
        for (const text of texts) {
          const [best] = (await client.classify({ text }, { model })).predictions;
          assert.equal(best?.label, label, text);
        }
      }
    });
  }

  it('emotion gives each emotion a probability of its own', async () => {
    const text = 'Thank you so much, I love it!';
    const { predictions } = await client.classify({ text }, { model: 'emotion', topK: 0 });
    assert.equal(predictions.length, 28);
    const likely = predictions.filter(({ score }) => score > 0.5).map(({ label }) => label);
    assert.deepEqual(likely.sort(), ['gratitude', 'love']);
    const total = predictions.reduce((sum, { score }) => sum + score, 0);
    assert.ok(Math.abs(total - 1) > 0.1, `the scores add up to ${total}`);
  });

  it('give two unrelated texts scores of their own: the head is not quantised', async () => {
    const texts = Array.from({ length: 200 }, (_, index) => `Number ${index} was a film that I have seen.`);
    const scores = new Set<number>();
    for (const text of texts) {
      const { predictions } = await client.classify({ text }, { topK: 1, activation: 'none' });
      scores.add(predictions[0]?.score ?? Number.NaN);
    }
    assert.ok(scores.size > 190, `only ${scores.size} different logits`);
  });
});

/** The labels that hold: the best one, or with several those above one half. */
function holding(model: string, logits: readonly number[]): number[] {
  if (model !== 'emotion') return [logits.indexOf(Math.max(...logits))];
  return [...logits.keys()].filter((index) => (logits[index] ?? 0) > 0);
}

async function folderBytes(folder: string): Promise<number> {
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  const sizes = await Promise.all(
    files
      .filter((file) => file.isFile())
      .map(async (file) => (await stat(join(file.parentPath, file.name))).size),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
