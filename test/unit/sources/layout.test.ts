import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findLayout } from '../../../src/sources/layout.js';

const tokenizer = ['config.json', 'tokenizer.json', 'tokenizer_config.json'];

function layoutOf(paths: readonly string[], wanted: Parameters<typeof findLayout>[1] = []) {
  const files = paths.map((path) => ({ path, bytes: 1 }));
  const { weights, others, ...rest } = findLayout({ name: 'hf://org/name', files }, wanted);
  return {
    weights: weights.map(({ precision, graph, target }) => [precision, graph.path, target]),
    others: others.map(({ path }) => path),
    config: rest.config.path,
    tokenizer: rest.tokenizer?.path,
  };
}

describe('the layout of a source', () => {
  it("is the Hub's, with its weights in onnx/", () => {
    const found = layoutOf([
      ...tokenizer,
      'onnx/model.onnx',
      'onnx/model_quantized.onnx',
      'onnx/model_q4.onnx',
    ]);
    assert.deepEqual(found, {
      weights: [['fp32', 'onnx/model.onnx', 'onnx/model.onnx']],
      others: ['onnx/model_quantized.onnx', 'onnx/model_q4.onnx'],
      config: 'config.json',
      tokenizer: 'tokenizer.json',
    });
  });

  it("is Optimum's, with all files in one folder, or in a folder onnx", () => {
    assert.deepEqual(layoutOf([...tokenizer, 'model.onnx']).weights, [
      ['fp32', 'model.onnx', 'onnx/model.onnx'],
    ]);
    const below = layoutOf(['onnx/config.json', 'onnx/tokenizer.json', 'onnx/model.onnx', 'README.md']);
    assert.deepEqual([below.config, below.tokenizer], ['onnx/config.json', 'onnx/tokenizer.json']);
  });

  for (const name of ['model_quantized', 'model_int8', 'model_uint8']) {
    it(`takes ${name}.onnx for int8 weights`, () => {
      const paths = [...tokenizer, `onnx/${name}.onnx`];
      assert.deepEqual(layoutOf(paths).weights, [['int8', `onnx/${name}.onnx`, 'onnx/model_quantized.onnx']]);
    });
  }

  it('takes all precisions where known answers let the server choose, and those that were asked for', () => {
    const paths = [...tokenizer, 'model.onnx', 'model_int8.onnx', 'model_fp16.onnx'];
    const precisions = (found: ReturnType<typeof layoutOf>) => found.weights.map(([precision]) => precision);
    assert.deepEqual(precisions(layoutOf([...paths, 'golden.json'])), ['fp32', 'int8', 'fp16']);
    assert.deepEqual(precisions(layoutOf(paths, ['int8', 'fp16'])), ['int8', 'fp16']);
    assert.throws(() => layoutOf([...tokenizer, 'model.onnx'], ['int8']), {
      message: 'hf://org/name holds no int8 weights, only fp32',
    });
  });

  const refusals: Readonly<Record<string, readonly [paths: readonly string[], expected: RegExp]>> = {
    'with safetensors only': [
      [...tokenizer, 'model.safetensors'],
      /weights as model\.safetensors only, not as ONNX.*python training\/export org\/name --out/s,
    ],
    'with shards of PyTorch only': [
      [...tokenizer, 'pytorch_model-00001-of-00002.bin'],
      /as pytorch_model-00001-of-00002\.bin only/,
    ],
    'with 4-bit weights only': [
      [...tokenizer, 'onnx/model_q4.onnx'],
      /holds onnx\/model_q4\.onnx; expected one of model\.onnx/,
    ],
    'without any weights': [tokenizer, /holds no model: expected one of model\.onnx/],
    'that is a model with versions': [
      ['2/config.json', '2/onnx/model.onnx'],
      /holds versions of a model: give one of them, such as hf:\/\/org\/name\/2/,
    ],
    'without a tokenizer': [['config.json', 'model.onnx'], /no tokenizer\.json.*AutoTokenizer.*'org\/name'/s],
    'without a configuration': [['tokenizer.json', 'model.onnx'], /holds no config\.json/],
  };
  it('is exported, or given a tokenizer, by the name that Transformers knows: without hf:// and revision', () => {
    for (const paths of [
      ['config.json', 'model.onnx'],
      [...tokenizer, 'model.safetensors'],
    ]) {
      const files = paths.map((path) => ({ path, bytes: 1 }));
      assert.throws(
        () => findLayout({ name: 'hf://org/name@v2', files }, []),
        (error: Error) => {
          assert.match(error.message, /org\/name[' ]/);
          assert.doesNotMatch(error.message.split('\n').slice(1).join('\n'), /hf:|@/);
          return true;
        },
      );
    }
  });

  for (const [name, [paths, expected]] of Object.entries(refusals)) {
    it(`is refused ${name}, in words that say what to do`, () => {
      assert.throws(() => layoutOf(paths), expected);
    });
  }
});
