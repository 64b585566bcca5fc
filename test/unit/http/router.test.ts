import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, it } from 'node:test';
import { type Incoming, Router } from '../../../src/http/router.js';

const router = new Router();
const asked: { readonly template: string; readonly incoming: Incoming }[] = [];
for (const [verb, template] of [
  ['POST', '/v1:classify'],
  ['POST', '/v1/models/{model}:classify'],
  ['POST', '/v1/models/{model}:batchClassify'],
  ['POST', '/v1/models:reload'],
  ['GET', '/v1/models'],
  ['GET', '/v1/models/{model}'],
] as const) {
  router.on(verb, template, (incoming) => {
    asked.push({ template, incoming });
  });
}

/** The template that answers, and what it got. */
function ask(method: string, url: string) {
  asked.length = 0;
  const found = router.find(method, url);
  if (found.kind === 'handler') found.run({} as IncomingMessage, {} as ServerResponse);
  return { found, template: asked[0]?.template, incoming: asked[0]?.incoming };
}

describe('the router', () => {
  const answered: readonly (readonly [method: string, url: string, template: string, model?: string])[] = [
    ['POST', '/v1:classify', '/v1:classify'],
    ['POST', '/v1/models/a-b.c_d:classify', '/v1/models/{model}:classify', 'a-b.c_d'],
    ['POST', '/v1/models/a:batchClassify?x=1', '/v1/models/{model}:batchClassify', 'a'],
    ['POST', '/v1/models:reload', '/v1/models:reload'],
    ['POST', 'http://a/v1:classify', '/v1:classify'],
    ['GET', '/v1/models', '/v1/models'],
    ['HEAD', '/v1/models', '/v1/models'],
    ['GET', '/v1/models/caf%C3%A9', '/v1/models/{model}', 'caf\u00e9'],
  ];
  for (const [method, url, template, model] of answered) {
    it(`finds ${method} ${url}`, () => {
      const answer = ask(method, url);
      assert.equal(answer.template, template);
      assert.equal(answer.incoming?.params.model, model);
    });
  }

  it('gives the query, decoded', () => {
    const { incoming } = ask('POST', '/v1:classify?options.topK=2&text=a%20b');
    assert.deepEqual(
      [...(incoming?.query ?? [])],
      [
        ['options.topK', '2'],
        ['text', 'a b'],
      ],
    );
  });

  for (const url of [
    ...['/', '/v2:classify', '/v1/models/a:clasify', '/v1/models/:classify', '/v1/models/a:b:classify'],
    ...[
      '/v1/models/a%2fb',
      '/v1/models/a%',
      '//v1:classify',
      '/v1/../v1:classify',

      '',
    ],
  ]) {
    it(`finds no path for ${url}`, () => {
      assert.equal(ask('POST', url).found.kind, 'no-path');
    });
  }

  it('says which verbs a path has', () => {
    assert.deepEqual(ask('GET', '/v1:classify').found, { kind: 'no-verb', allowed: ['POST'] });
    assert.deepEqual(ask('DELETE', '/v1/models').found, { kind: 'no-verb', allowed: ['GET', 'HEAD'] });
    assert.deepEqual(ask('BREW', '/v1/models/a').found, { kind: 'no-verb', allowed: ['GET', 'HEAD'] });
  });
});
