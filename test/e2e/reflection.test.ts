import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { Service } from '../support/service.js';
import { findTool, skipWithout } from '../support/tool.js';

const run = promisify(execFile);
const skip = await skipWithout('grpcurl');

/** White space in one form, so that a comment can be found however it is broken into lines. */
const flat = (text: string): string => text.replace(/^\s*\/\//gm, ' ').replace(/\s+/g, ' ');

describe('grpcurl, which knows the service by reflection alone', { skip }, () => {
  let service: Service;
  let grpcurl = '';

  before(async () => {
    const tool = await findTool('grpcurl');
    grpcurl = 'path' in tool ? tool.path : '';
    service = await Service.start(['topics', 'pairs']);
  });

  after(() => service.stop());

  async function ask(...args: string[]): Promise<string> {
    const { stdout } = await run(grpcurl, ['-plaintext', ...args]);
    return stdout;
  }

  const describeSymbol = (symbol: string) => ask(service.server.address, 'describe', symbol);

  async function call(method: string, ...messages: object[]): Promise<unknown[]> {
    const data = messages.map((message) => JSON.stringify(message)).join('\n');
    const output = await ask('-d', data, service.server.address, method);
    return JSON.parse(`[${output.trim().replaceAll(/\}\s*\n\{/g, '},{')}]`) as unknown[];
  }

  it('lists the services', async () => {
    assert.deepEqual((await ask(service.server.address, 'list')).trim().split('\n').sort(), [
      'grpc.health.v1.Health',
      'grpc.reflection.v1.ServerReflection',
      'grpc.reflection.v1alpha.ServerReflection',
      'inference.GRPCInferenceService',
      'tei.v1.Info',
      'tei.v1.Predict',
      'verdict.v1.CacheService',
      'verdict.v1.ClassifierService',
      'verdict.v1.ModelService',
    ]);
    assert.deepEqual(
      (await ask(service.server.address, 'list', 'verdict.v1.ModelService')).trim().split('\n'),
      [
        'verdict.v1.ModelService.DeleteAlias',
        'verdict.v1.ModelService.DeleteRollback',
        'verdict.v1.ModelService.GetModel',
        'verdict.v1.ModelService.GetModelComparison',
        'verdict.v1.ModelService.GetModelStatistics',
        'verdict.v1.ModelService.ListModels',
        'verdict.v1.ModelService.LoadModel',
        'verdict.v1.ModelService.ReloadModels',
        'verdict.v1.ModelService.SetAlias',
        'verdict.v1.ModelService.SetRollback',
        'verdict.v1.ModelService.SetShadow',
        'verdict.v1.ModelService.SetTraffic',
        'verdict.v1.ModelService.UnloadModel',
      ],
    );
  });

  it('shows every field of a ClassifyRequest under its comment', async () => {
    const shown = flat(await describeSymbol('verdict.v1.ClassifyRequest'));
    for (const commented of [
      "The model's name, matching `[a-z0-9][a-z0-9._-]{0,63}`. Empty: the server's default model. string model = 1;",
      "The model's version, a positive integer without leading zeros, or an alias of one (`champion`). Empty: the version that is serving, or, where the traffic is divided, the one that `verdict-routing-key` in the metadata leads to, else the input. string version = 2;",
      'What to classify. Exactly one must be set. oneof input {',
      'One text. Not empty, not only white space; at most `max_text_chars` UTF-16 units (8,192 by default). string text = 3;',
      'A pair of texts classified together. .verdict.v1.TextPair pair = 4;',
      'How the answer is computed and shaped. .verdict.v1.ClassifyOptions options = 5;',
    ]) {
      assert.ok(shown.includes(commented), `"${commented}" is missing in: ${shown}`);
    }
  });

  it('shows the http options of the methods', async () => {
    const shown = await describeSymbol('verdict.v1.ClassifierService');
    for (const path of [
      '/v1/models/{model}:classify',
      '/v1:classify',
      '/v1/models/{model}:batchClassify',
      '/v1:batchClassify',
      '/v1:classifyStream',
    ]) {
      assert.ok(shown.includes(`post: "${path}"`), `the description lacks ${path}`);
    }
    assert.match(shown, /rpc ClassifyStream \( stream .*ClassifyStreamRequest \) returns \( stream /);
    assert.match(await describeSymbol('verdict.v1.ModelService'), /get: "\/v1\/models\/\{model\}"/);
  });

  it('calls Classify', async () => {
    const [answer] = await call('verdict.v1.ClassifierService/Classify', {
      text: 'match',
      options: { topK: 1 },
    });
    const { predictions, timings, ...rest } = (answer as { classification: Record<string, unknown> })
      .classification;
    assert.equal((predictions as { label: string }[])[0]?.label, 'sports');
    assert.ok(timings !== undefined);
    assert.deepEqual(rest, { model: 'topics', version: '1', tokenCount: 3, cache: 'CACHE_OUTCOME_MISS' });
  });

  it('calls ClassifyStream', async () => {
    const messages = await call(
      'verdict.v1.ClassifierService/ClassifyStream',
      { settings: { sendEnd: true, defaultModel: 'topics' } },
      { id: 'a', text: 'parliament' },
      { id: 'b', text: ' ' },
      { id: 'c', pair: { text: 'match', textPair: 'the team' }, model: 'pairs' },
    );
    const kinds = messages.map((message) => Object.keys(message as object).filter((key) => key !== 'index'));
    assert.deepEqual(kinds, [['id', 'classification'], ['id', 'error'], ['id', 'classification'], ['end']]);
    const { end } = messages[3] as { end: { classifiedCount: number; failedCount: number } };
    assert.deepEqual([end.classifiedCount, end.failedCount], [2, 1]);
  });

  it('shows the details of an error', async () => {
    const failure = await call('verdict.v1.ClassifierService/Classify', { text: '' }).then(
      () => undefined,
      (error: { stderr: string }) => error.stderr,
    );
    assert.match(failure ?? '', /Code: InvalidArgument/);
    assert.match(failure ?? '', /Message: text: must not be empty/);
    assert.match(failure ?? '', /"@type": "type.googleapis.com\/google.rpc.BadRequest"/);
    assert.match(failure ?? '', /"field": "text"/);
  });
});
