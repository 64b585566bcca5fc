import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { repositoryRoot } from '../support/repository.js';

const { file: files } = fromBinary(
  FileDescriptorSetSchema,
  readFileSync(join(repositoryRoot, 'generated/descriptor.binpb')),
);

describe('the contract', () => {
  const ours = files.filter(({ name }) => name.startsWith('verdict/'));

  it('says where the code of other languages belongs: a change would move every import of callers', () => {
    assert.ok(ours.length >= 4);
    for (const { name, options } of ours) {
      assert.equal(
        options?.goPackage,
        'github.com/verdict-grpc/verdict/clients/go/verdict/v1;verdictv1',
        name,
      );
      assert.equal(options?.javaPackage, 'io.github.verdict_grpc.v1', name);
      assert.equal(options?.javaMultipleFiles, true, name);
      assert.equal(options?.csharpNamespace, 'Verdict.V1', name);
    }
  });

  it('imports what lies beside it in proto/, or comes with every compiler', () => {
    const imported = ours.flatMap(({ dependency }) => dependency);
    const elsewhere = imported.filter((name) => !/^(verdict|google\/(api|rpc))\//.test(name));
    assert.deepEqual(
      elsewhere.filter((name) => !name.startsWith('google/protobuf/')),
      [],
    );
    for (const name of imported.filter((path) => !path.startsWith('google/protobuf/')))
      assert.notEqual(readFileSync(join(repositoryRoot, 'proto', name)).length, 0);
  });
});
