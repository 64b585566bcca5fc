import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type GraphFacts, graphFacts } from '../../../src/models/graph-facts.js';
import { type OnnxGraph, readOnnxGraph } from '../../../src/models/onnx-graph.js';

const odd = (name: string, file = 'model.onnx') =>
  readOnnxGraph(`test/fixtures/odd-models/${name}/1/onnx/${file}`);

describe('an ONNX file', () => {
  it('tells width, activation and positions of its graph', async () => {
    const expected: Record<string, Partial<GraphFacts>> = {
      plain: {},
      softmaxed: { activation: 'softmax' },
      'softmaxed-by-hand': {},
      sigmoided: { activation: 'sigmoid' },
      'one-label': { labelCount: 1 },
      'unnamed-dynamic': { labelCount: undefined },
      'pad-3': { positions: 34, positionsFromPadId: 3 },
      'few-positions': { positions: 16 },
      'hidden-positions': {},
    };
    const none = {
      labelCount: 2,
      activation: undefined,
      positions: undefined,
      positionsFromPadId: undefined,
    };
    for (const [name, facts] of Object.entries(expected)) {
      assert.deepEqual(graphFacts(await odd(name)), { ...none, ...facts }, name);
    }
  });

  it('tells the same of quantised weights', async () => {
    for (const file of ['model.onnx', 'model_quantized.onnx']) {
      const { positions, labelCount } = graphFacts(
        await readOnnxGraph(`test/fixtures/models/topics/1/onnx/${file}`),
      );
      assert.deepEqual([positions, labelCount], [64, 4]);
    }
  });

  it('names the files that hold weights of its own', async () => {
    assert.deepEqual((await odd('external')).externalFiles, ['model.onnx_data']);
    assert.deepEqual((await odd('plain')).externalFiles, []);
  });

  it('that is none is refused in words, wherever it ends', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'verdict-graph-'));
    const path = join(folder, 'model.onnx');
    try {
      for (const content of ['', 'not a model at all', Buffer.alloc(100), Buffer.alloc(100, 0xff)]) {
        await writeFile(path, content);
        await assert.rejects(readOnnxGraph(path), /is no ONNX model|holds|ends within a field/);
      }
      const whole = await readFile('test/fixtures/odd-models/pad-3/1/onnx/model.onnx');
      for (let length = 1; length < 1000; length += 7) {
        await writeFile(path, whole);
        await truncate(path, length);
        await assert.rejects(readOnnxGraph(path), Error, `cut to ${length} bytes`);
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('a graph that nobody exported', () => {
  it('that runs in circles is looked at all the same', () => {
    const nodes = [
      { operator: 'Identity', inputs: ['b'], outputs: ['logits'] },
      { operator: 'Identity', inputs: ['logits'], outputs: ['b'] },
      { operator: 'CumSum', inputs: ['c'], outputs: ['c'] },
      { operator: 'Cast', inputs: ['c'], outputs: ['c'] },
    ];
    const graph: OnnxGraph = {
      nodes,
      outputs: new Map([['logits', [undefined, 2]]]),
      weights: new Map(),
      constants: new Map(),
      externalFiles: [],
    };
    assert.equal(graphFacts(graph).activation, undefined);
  });
});
