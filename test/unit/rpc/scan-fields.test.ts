import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FileDescriptorSet } from '../../../generated/google/protobuf/descriptor.js';
import { BatchClassifyRequest } from '../../../generated/verdict/v1/classifier_service.js';
import { ReloadModelsRequest } from '../../../generated/verdict/v1/model_service.js';
import { VerdictError } from '../../../src/errors.js';
import { RequestSchema, repeatedLimits } from '../../../src/rpc/request-schema.js';
import { scanFields } from '../../../src/rpc/scan-fields.js';
import type { RpcMethod } from '../../../src/rpc/types.js';
import { batchRequest } from '../../support/requests.js';
import { descriptorSet, Edge } from './edge.js';

const set = FileDescriptorSet.decode(descriptorSet);
const schema = new RequestSchema(set);
const limits = repeatedLimits({ maxTextChars: 8192, maxBatchInputs: 32 });
const batchFields = schema.fieldsOf('/verdict.v1.ClassifierService/BatchClassify', limits);
const classifyFields = schema.fieldsOf('/verdict.v1.ClassifierService/Classify', limits);

/** The same bytes over and over. */
function times(count: number, bytes: readonly number[]): Buffer {
  return Buffer.alloc(count * bytes.length, Buffer.from(bytes));
}

function reasonOf(error: VerdictError | undefined): string {
  return error === undefined ? 'none' : `${error.reason}: ${error.message}`;
}

describe('the schema of requests', () => {
  it('has a limit for every repeated field of every request there is', async () => {
    let methods: readonly RpcMethod[] = [];
    const prepare = (all: readonly RpcMethod[]) => {
      methods = all;
    };
    await Edge.run({ interceptors: [{ prepare, intercept: () => undefined }] }, async () => {});
    assert.ok(methods.length > 8);
    for (const { service, method } of methods) {
      assert.ok(schema.fieldsOf(`/${service}/${method}`, limits).maxFields >= 1024, `${service}/${method}`);
    }
  });

  it('refuses one that was forgotten, at any depth', () => {
    const changed = FileDescriptorSet.decode(descriptorSet);
    const file = changed.file.find(({ name }) => name === 'verdict/v1/classification.proto');
    const options = file?.messageType.find(({ name }) => name === 'ClassifyOptions');
    const [field] = options?.field ?? [];
    assert.ok(options !== undefined && field !== undefined);
    options.field.push({ ...field, name: 'labels', number: 999, label: 3 });
    const next = new RequestSchema(changed);
    assert.throws(
      () => next.fieldsOf('/verdict.v1.ClassifierService/Classify', limits),
      /verdict\.v1\.ClassifyOptions\.labels is repeated and has no limit/,
    );
  });
});

describe('the scan', () => {
  it('lets the largest valid batch pass, and one more input fail', () => {
    const texts = Array.from({ length: 33 }, () => 'é'.repeat(8192));
    const encode = (count: number) =>
      BatchClassifyRequest.encode(batchRequest(texts.slice(0, count))).finish();
    assert.equal(scanFields(encode(32), batchFields), undefined);
    assert.match(
      reasonOf(scanFields(encode(33), batchFields)),
      /^INVALID_FIELD: inputs: must have at most 32/,
    );
  });

  it('counts texts of a list, not their bytes', () => {
    const fields = schema.fieldsOf('/verdict.v1.ModelService/ReloadModels', limits);
    const encode = (count: number) =>
      ReloadModelsRequest.encode({ models: Array.from({ length: count }, () => 'a'.repeat(40)) }).finish();
    assert.equal(scanFields(encode(64), fields), undefined);
    assert.match(reasonOf(scanFields(encode(65), fields)), /^INVALID_FIELD: models: must have at most 64/);
  });

  it('stops at the first input too many: the rest of the bytes is not looked at', () => {
    const bytes = new Proxy(times(780_000, [0x1a, 0]), {
      get: (target, key) => {
        if (Number(key) > 200) throw new Error('the scan went on');
        const value: unknown = Reflect.get(target, key, target);
        return value;
      },
    });
    assert.match(reasonOf(scanFields(bytes, batchFields)), /^INVALID_FIELD/);
  });

  const floods: Readonly<Record<string, readonly number[]>> = {
    'a singular message given again and again': [0x2a, 0],
    'unknown fields': [0xa0, 0x06, 1],
    'unknown messages': [0xa2, 0x06, 0],
    'groups in groups': [0xa3, 0x06],
    'a string given again and again': [0x0a, 0],
    'varints that are longer than need be': [0xa8, 0x80, 0x80, 0x80, 0x00, 0x81, 0x80, 0x00],
  };
  for (const [name, bytes] of Object.entries(floods)) {
    it(`counts ${name}`, () => {
      assert.match(
        reasonOf(scanFields(times(5_000, bytes), classifyFields)),
        /^TOO_MANY_FIELDS: the message holds more than 1024 fields/,
      );
      assert.equal(scanFields(times(1_000, bytes), classifyFields), undefined);
    });
  }

  it('counts what is inside the messages that it knows', () => {
    const options = times(5_000, [0x28, 1]);
    const head = Buffer.from([0x2a, 0x90, 0x4e]);
    assert.match(reasonOf(scanFields(Buffer.concat([head, options]), classifyFields)), /^TOO_MANY_FIELDS/);
  });

  it('leaves bytes that are no message to decoding', () => {
    for (const bytes of [[0x0a], [0x0a, 200, 1, 1], [0x0f], [0x1a, 0xff, 0xff, 0xff, 0xff, 0x0f], [0]]) {
      assert.equal(scanFields(Buffer.from(bytes), batchFields), undefined);
    }
  });

  it('ends on every input, and never throws', () => {
    let seed = 1;
    const next = () => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed & 0xff;
    };
    for (let n = 0; n < 2_000; n++) {
      const error = scanFields(Buffer.from(Array.from({ length: n % 97 }, next)), batchFields);
      assert.ok(error === undefined || error instanceof VerdictError);
    }
  });
});
