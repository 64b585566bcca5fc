import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createFileRegistry, fromBinary, getExtension } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020, type AnySchemaObject } from 'ajv/dist/2020.js';
import { limits } from '../../src/config/sections/serving.js';
import { modelNamePattern } from '../../src/models/model-name.js';
import { maxIdChars } from '../../src/rpc/stream-input.js';
import { repositoryRoot } from '../support/repository.js';

interface Media {
  readonly schema: AnySchemaObject;
  readonly example?: unknown;
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>;
}
interface Body {
  readonly $ref?: string;
  readonly content: Readonly<Record<string, Media>>;
}
interface Operation {
  readonly operationId: string;
  readonly requestBody?: Body;
  readonly responses: Readonly<Record<string, Body>>;
}
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, AnySchemaObject>>;
    readonly responses: Readonly<Record<string, Body>>;
  };
}

const read = (path: string) => readFileSync(join(repositoryRoot, path));
const document: Document = JSON.parse(read('generated/openapi.json').toString());
const { schemas, responses } = document.components;
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([verb, operation]) => ({ binding: `${verb} ${path}`, ...operation })),
);

describe('the OpenAPI document', () => {
  it('is valid OpenAPI 3.1', async () => {
    const validator = new Validator();
    assert.deepEqual(await validator.validate(structuredClone({ ...document })), { valid: true });
    assert.equal(validator.version, '3.1');
  });

  it('has exactly the HTTP bindings of the contract', () => {
    const described = operations.map(
      ({ binding, operationId }) => `${operationId.split('_')[0]}: ${binding}`,
    );
    assert.deepEqual(described.sort(), bindings().sort());
  });

  it('names every operation once', () => {
    const ids = operations.map(({ operationId }) => operationId);
    assert.equal(new Set(ids).size, ids.length);
  });

  it('has an example for every request and every answer', () => {
    for (const { binding, requestBody, responses: answers } of operations) {
      const bodies = requestBody === undefined ? [] : [requestBody];
      for (const body of [...bodies, ...(answers['200'] === undefined ? [] : [answers['200']])]) {
        for (const [type, media] of Object.entries(body.content)) {
          assert.ok(examplesOf(media).length > 0, `${binding}: ${type}`);
        }
      }
    }
    for (const [name, { content }] of Object.entries(responses)) {
      for (const media of Object.values(content)) assert.ok(examplesOf(media).length > 0, name);
    }
  });

  it('has only examples that its own schemas allow', () => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    ajv.addSchema({ $id: 'document', ...document });
    const bodies = operations.flatMap(({ requestBody, responses: answers }) => [
      ...(requestBody === undefined ? [] : [requestBody]),
      ...Object.values(answers).filter(({ $ref }) => $ref === undefined),
    ]);
    let checked = 0;
    for (const body of [...bodies, ...Object.values(responses)]) {
      for (const media of Object.values(body.content)) {
        const check = ajv.compile(JSON.parse(JSON.stringify(media.schema).replaceAll('"#/', '"document#/')));
        for (const example of examplesOf(media)) {
          assert.ok(check(example), `${JSON.stringify(example)}: ${ajv.errorsText(check.errors)}`);
          checked += 1;
        }
      }
    }
    assert.ok(checked > operations.length);
  });

  it('requires only properties that are there', () => {
    for (const [name, { required = [], properties = {} }] of Object.entries(schemas)) {
      for (const property of required) assert.ok(property in properties, `${name}.${property}`);
    }
  });

  it('lists the reasons of docs/errors.md: else openapi/overlays/4-errors.yaml wants one more, or fewer', () => {
    const [, table = ''] = read('docs/errors.md').toString().split('\n## Reasons\n');
    const rows = table.slice(0, table.indexOf('Never sent')).matchAll(/^\| `([A-Z_]+)` \|/gm);
    assert.deepEqual(
      schemas.ErrorReason?.enum,
      [...rows].map(([, reason]) => reason),
    );
  });

  it('states the limits that the server has by default', () => {
    const { maxTextChars, maxBatchInputs } = limits.parse({});
    assert.equal(schemas.Text?.maxLength, maxTextChars);
    for (const name of ['verdict.v1.BatchClassifyRequest', 'verdict.v1.ModelBatchClassifyRequest']) {
      assert.equal(schemas[name]?.properties.inputs.maxItems, maxBatchInputs);
    }
    assert.equal(schemas['verdict.v1.ClassifyStreamRequest']?.properties.id.maxLength, maxIdChars);
    const name = modelNamePattern.source.slice(1, -1);
    assert.equal(schemas['verdict.v1.ClassifyRequest']?.properties.model.pattern, `^(${name})?$`);
  });
});

function examplesOf({ example, examples = {} }: Media): unknown[] {
  return [...(example === undefined ? [] : [example]), ...Object.values(examples).map(({ value }) => value)];
}

interface HttpRule {
  readonly pattern: { readonly case: string; readonly value: string };
  readonly additionalBindings: readonly HttpRule[];
}

/** `<service>: <verb> <path>` of every HTTP binding, as the descriptor set has them. */
function bindings(): string[] {
  const set = fromBinary(FileDescriptorSetSchema, read('generated/descriptor.binpb'));
  const registry = createFileRegistry(set);
  const extension = registry.getExtension('google.api.http');
  assert.ok(extension);
  const rules = [...registry]
    .filter((type) => type.kind === 'service' && type.typeName.startsWith('verdict.'))
    .flatMap((service) => (service.kind === 'service' ? service.methods : []))
    .flatMap(({ parent, proto }) => {
      assert.ok(proto.options, `${parent.name}.${proto.name} has no HTTP binding`);
      const rule = getExtension(proto.options, extension) as unknown as HttpRule;
      return [rule, ...rule.additionalBindings].map(({ pattern }) => ({ service: parent.name, pattern }));
    });
  return rules.map(({ service, pattern }) => `${service}: ${pattern.case} ${pattern.value}`);
}
