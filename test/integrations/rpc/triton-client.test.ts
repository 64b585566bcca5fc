import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { repositoryRoot } from '../../support/repository.js';
import { Service } from '../../support/service.js';
import { findTool, skipWithout } from '../../support/tool.js';

const run = promisify(execFile);
const script = join(repositoryRoot, 'test/fixtures/clients/triton.py');
const descriptorSet = join(repositoryRoot, 'generated/descriptor.binpb');

/** What came of a request: its answer, or why it failed. */
interface Inferred {
  readonly id?: string;
  readonly version?: string;
  readonly label: readonly string[][];
  readonly LABEL: readonly string[][];
  readonly score: readonly number[][];
  readonly index: readonly number[][];
  readonly logits: readonly number[][];
  readonly status?: string;
  readonly message?: string;
}

/** What the script printed. */
interface Seen {
  readonly contract: { readonly compared: number; readonly different: readonly string[] };
  readonly live: boolean;
  readonly ready: boolean;
  readonly model_ready: readonly boolean[];
  readonly server: string;
  readonly model: { readonly inputs: readonly unknown[]; readonly outputs: readonly unknown[] };
  readonly config: { readonly input: readonly unknown[] };
  readonly index: readonly unknown[];
  readonly column: readonly string[][];
  readonly pair: readonly string[][];
  readonly stream: readonly unknown[];
  readonly infer: Inferred;
  readonly all: Inferred;
  readonly flink: Inferred;
  readonly nothing_likely: Inferred;
  readonly unknown_parameter: Inferred;
  readonly bad_text: Inferred;
  readonly unknown_model: Inferred;
}

describe('tritonclient, unchanged', { skip: await skipWithout('python-triton') }, () => {
  let service: Service;
  let seen: Seen;

  before(async () => {
    const tool = await findTool('python-triton');
    assert.ok('path' in tool);
    service = await Service.start(['topics']);
    const { stdout } = await run(tool.path, [script, service.server.address, descriptorSet], {
      timeout: 60_000,
    });
    seen = JSON.parse(stdout);
  });

  after(() => service.stop());

  it('has the same messages, field by field', () => {
    assert.ok(seen.contract.compared > 85, String(seen.contract.compared));
    assert.deepEqual(seen.contract.different, []);
  });

  it('finds the server live and ready, and its models', () => {
    assert.deepEqual([seen.live, seen.ready, seen.model_ready], [true, true, [true, true, false]]);
    assert.equal(seen.server, 'verdict');
    assert.deepEqual(seen.index, [{ name: 'topics', version: '1', state: 'READY' }]);
    assert.deepEqual(seen.model.inputs, [{ name: 'text', datatype: 'BYTES', shape: ['-1'] }]);
    assert.deepEqual(seen.config.input, [{ name: 'text', data_type: 'TYPE_STRING', dims: ['-1'] }]);
    assert.deepEqual(seen.model.outputs.at(-1), { name: 'logits', datatype: 'FP32', shape: ['-1', '4'] });
  });

  it('gets the answers of the own service', async () => {
    const { id, version, label, score, index } = seen.infer;
    assert.deepEqual([id, version], ['first', '1']);
    const own = await service.client.classifyBatch(['match', 'parliament']);
    const predictions = own.map((result) => (result.ok ? result.classification.predictions : []));
    assert.deepEqual(
      label,
      predictions.map((row) => row.map((one) => one.label)),
    );
    assert.deepEqual(
      index,
      predictions.map((row) => row.map((one) => one.index)),
    );
    assert.deepEqual(
      score,
      predictions.map((row) => row.map((one) => Math.fround(one.score))),
    );
  });

  it('gets every label and the logits when it asks for them', () => {
    const { LABEL, logits } = seen.all;
    assert.equal(LABEL[0]?.[0], 'sports');
    assert.deepEqual([LABEL[0]?.length, logits.length, logits[0]?.length], [4, 1, 4]);
    assert.ok(Math.max(...(logits[0] ?? [])) > 1, 'a raw logit');
  });

  it('sends columns, pairs and what a Flink job sets', () => {
    assert.deepEqual(seen.column, [['sports'], ['technology']]);
    assert.equal(seen.pair.length, 1);
    assert.deepEqual([seen.flink.id, seen.flink.LABEL], ['job-0-1', [['food']]]);
  });

  it('gets an empty row where nothing is likely enough', () => {
    assert.deepEqual([seen.nothing_likely.label, seen.nothing_likely.score], [[[]], [[]]]);
  });

  it('is told what is wrong', () => {
    assert.equal(seen.unknown_parameter.status, 'StatusCode.INVALID_ARGUMENT');
    assert.match(seen.unknown_parameter.message ?? '', /^parameters\.temperature: /);
    assert.equal(seen.bad_text.message, 'inputs[0][1]: must not be empty');
    assert.equal(seen.unknown_model.status, 'StatusCode.NOT_FOUND');
  });

  it('gets the answers of a stream in its order, past one that failed', () => {
    assert.deepEqual(seen.stream, [
      { id: '1', label: [['sports']], final: true },
      { message: 'inputs[0][0]: must not be empty' },
      { id: '3', label: [['technology'], ['sports']], final: true },
    ]);
  });
});
