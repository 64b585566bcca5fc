import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { belowFolder } from '../../../src/sources/below-folder.js';
import type { ModelSource } from '../../../src/sources/types.js';

function sourceOf(...paths: string[]): ModelSource & { readonly copied: string[] } {
  const copied: string[] = [];
  return {
    name: 's3://bucket/m',
    shortName: 'm',
    origin: { revision: 'r' },
    files: paths.map((path) => ({ path, bytes: 1 })),
    copied,
    copy: async ({ path }) => void copied.push(path),
  };
}

const pathsOf = ({ files }: ModelSource) => files.map(({ path }) => path);

describe('the folder of a source that holds the model', () => {
  it('is its root, if that holds one', () => {
    const source = sourceOf('config.json', 'model.onnx', 'old/config.json', 'old/model.onnx');
    assert.equal(belowFolder(source, undefined), source);
  });

  it('is the only one that does, and files are copied from there', async () => {
    const source = sourceOf(
      'MLmodel',
      'data/config.json',
      'data/onnx/model.onnx',
      'data/onnx/model.onnx_data',
    );
    const below = belowFolder(source, undefined);
    assert.deepEqual(pathsOf(below), ['config.json', 'onnx/model.onnx', 'onnx/model.onnx_data']);
    assert.deepEqual([below.name, below.origin], [source.name, source.origin]);
    const [, graph] = below.files;
    assert.ok(graph);
    await below.copy(graph, '/target', {} as Parameters<ModelSource['copy']>[2]);
    assert.deepEqual(source.copied, ['data/onnx/model.onnx']);
  });

  it('is none of several, nor a version of a model, unless it is named', () => {
    const several = sourceOf('a/config.json', 'a/model.onnx', 'b/config.json', 'b/model.onnx');
    assert.throws(() => belowFolder(several, undefined), /holds models in a, b: choose one with --path/);
    assert.deepEqual(pathsOf(belowFolder(several, './b/')), ['config.json', 'model.onnx']);
    const versions = sourceOf('1/config.json', '1/model.onnx');
    assert.equal(belowFolder(versions, undefined), versions);
    assert.deepEqual(pathsOf(belowFolder(versions, '1')), ['config.json', 'model.onnx']);
  });

  it('has to be there where it is named', () => {
    assert.throws(() => belowFolder(sourceOf('config.json'), '../up'), /s3:\/\/bucket\/m holds no folder/);
  });
});
