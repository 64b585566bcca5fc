import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { JsonObject } from '@bufbuild/protobuf';
import { withBoundFields } from '../../../src/http/bound-fields.js';
import { Contract } from '../../../src/http/contract.js';
import { repositoryRoot } from '../../support/repository.js';

const contract = new Contract(readFileSync(join(repositoryRoot, 'generated/descriptor.binpb')));
const classify = contract.method('/verdict.v1.ClassifierService/Classify');
const bind = (body: JsonObject, params = {}, query = '') =>
  withBoundFields(classify.request, body, params, new URLSearchParams(query));

describe('the contract in JSON', () => {
  it('has all paths of the annotations', () => {
    const found = contract.bindings.map(({ verb, template }) => `${verb} ${template}`);
    for (const path of ['POST /v1:classify', 'POST /v1/models/{model}:classify', 'GET /v1/models'])
      assert.ok(found.includes(path), path);
    assert.equal(new Set(found).size, found.length);
  });

  it('takes both spellings of a field, and leaves out what it does not know', () => {
    const one = classify.encode({ text: 'a', options: { topK: 2 } });
    assert.deepEqual(classify.encode({ text: 'a', options: { top_k: 2 }, unknown: [{}] }), one);
  });

  const secret = 'a secret text';
  const wrong: readonly (readonly [request: unknown, message: RegExp])[] = [
    [{ text: 7 }, /^text: /],
    [{ text: [secret] }, /^text: /],
    [{ text: '\ud800' }, /^text: /],
    [{ text: 'a', pair: { text: 'b' } }, /^input: /],
    [{ options: { topK: secret } }, /^top_k: /],
    [{ options: { topK: -1 } }, /^top_k: /],
    [{ options: { cache: secret } }, /^cache: /],
    [{ options: secret }, /asks for/],
    [[secret], /asks for/],
    [secret, /asks for/],
  ];
  for (const [request, message] of wrong) {
    it(`refuses ${JSON.stringify(request)}, and quotes nothing`, () => {
      assert.throws(
        () => classify.encode(request as never),
        (error: Error) => message.test(error.message) && !error.message.includes(secret),
      );
    });
  }
});

describe('fields from path and query', () => {
  it('join those of the body', () => {
    assert.deepEqual(bind({ text: 'a' }, { model: 'm' }, 'options.topK=2&options.cache=1'), {
      text: 'a',
      model: 'm',
      options: { topK: '2', cache: 1 },
    });
    assert.deepEqual(bind({ model: 'm' }, { model: 'm' }), { model: 'm' });
  });

  it('are set in the body itself, whose other fields nobody goes through', () => {
    let copies = 0;
    const body = new Proxy<JsonObject>(
      { text: 'a' },
      {
        ownKeys: (target) => {
          copies++;
          return Reflect.ownKeys(target);
        },
      },
    );
    bind(body, { model: 'm' }, 'text=a&'.repeat(100));
    assert.deepEqual([body.text, body.model, copies], ['a', 'm', 0]);
  });

  it('may not contradict it', () => {
    assert.throws(() => bind({ model: 'n' }, { model: 'm' }), /^VerdictError: model: is not the same/);
    assert.throws(() => bind({ options: { top_k: 1 } }, {}, 'options.topK=2'), /top_k: is not the same/);
  });

  for (const query of [
    'verbose=1',
    'options=1',
    'options.x=1',
    'text.x=1',
    '__proto__=1',
    'constructor.x=1',
  ]) {
    it(`are refused where there is no such one: ${query}`, () => {
      assert.throws(() => bind({}, {}, query), /the query names a field/);
    });
  }
});
