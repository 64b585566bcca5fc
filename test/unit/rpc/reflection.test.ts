import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { type ClientDuplexStream, credentials, makeGenericClientConstructor, status } from '@grpc/grpc-js';
import {
  type ServerReflectionClient,
  ServerReflectionRequest,
  type ServerReflectionResponse,
  ServerReflectionService,
} from '../../../generated/grpc/reflection/v1/reflection.js';
import { frame } from '../../support/wire-frames.js';
import { descriptorSet, Edge, timeout } from './edge.js';
import { RawCall } from './raw-call.js';

type Question = NonNullable<ServerReflectionRequest['messageRequest']>;
type Answer = ServerReflectionResponse['messageResponse'];

const set = fromBinary(FileDescriptorSetSchema, descriptorSet);
const v1 = 'grpc.reflection.v1.ServerReflection';
const v1alpha = 'grpc.reflection.v1alpha.ServerReflection';

/** Asks on one stream and returns the answers. */
async function ask(questions: Question[], service = v1): Promise<Answer[]> {
  const answers: Answer[] = [];
  const path = `/${service}/ServerReflectionInfo`;
  const definition = { serverReflectionInfo: { ...ServerReflectionService.serverReflectionInfo, path } };
  const Client = makeGenericClientConstructor(definition, service);
  await Edge.run({}, async (edge) => {
    const client = new Client(`127.0.0.1:${edge.port}`, credentials.createInsecure());
    try {
      const open = client as unknown as ServerReflectionClient;
      const call: ClientDuplexStream<ServerReflectionRequest, ServerReflectionResponse> =
        open.serverReflectionInfo();
      for (const messageRequest of questions) call.write({ host: 'here', messageRequest });
      call.end();
      for await (const response of call as AsyncIterable<ServerReflectionResponse>) {
        assert.equal(response.validHost, 'here');
        assert.deepEqual(response.originalRequest?.messageRequest, questions[answers.length]);
        answers.push(response.messageResponse);
      }
    } finally {
      client.close();
    }
  });
  return answers;
}

function files(answer: Answer): Buffer[] {
  assert.ok(answer?.$case === 'fileDescriptorResponse');
  return answer.value.fileDescriptorProto;
}

const nameOf = (bytes: Uint8Array): string => fromBinary(FileDescriptorProtoSchema, bytes).name;
const namesOf = (answer: Answer): string[] => files(answer).map(nameOf);

test('every file comes byte for byte as the compiler wrote it, with what it imports', {
  timeout,
}, async () => {
  const questions = set.file.map(({ name }): Question => ({ $case: 'fileByFilename', value: name }));
  const seen = new Map<string, Buffer>();
  for (const question of questions) {
    const [answer] = await ask([question]);
    const found = files(answer);
    const names = found.map(nameOf);
    assert.equal(names[0], question.value);
    assert.equal(new Set(names).size, names.length);
    for (const bytes of found) {
      for (const needed of fromBinary(FileDescriptorProtoSchema, bytes).dependency)
        assert.ok(names.includes(needed));
      seen.set(nameOf(bytes), bytes);
    }
  }
  // A descriptor set is its files one after the other, each behind a tag and a length.
  const parts = set.file.map(({ name }) => {
    const bytes = seen.get(name);
    assert.ok(bytes);
    const length: number[] = [];
    for (let rest = bytes.length; ; rest >>>= 7) {
      length.push(rest > 127 ? (rest & 127) | 128 : rest);
      if (rest <= 127) break;
    }
    return Buffer.concat([Buffer.from([0x0a, ...length]), bytes]);
  });
  assert.ok(Buffer.concat(parts).equals(descriptorSet));
});

test('symbols of every kind lead to their file', { timeout }, async () => {
  const symbols = {
    'verdict.v1.ClassifierService': 'verdict/v1/classifier_service.proto',
    'verdict.v1.ClassifierService.Classify': 'verdict/v1/classifier_service.proto',
    'verdict.v1.ClassifyRequest': 'verdict/v1/classifier_service.proto',
    'verdict.v1.ClassifyRequest.text': 'verdict/v1/classifier_service.proto',
    'verdict.v1.ClassifyRequest.input': 'verdict/v1/classifier_service.proto',
    'verdict.v1.Activation': 'verdict/v1/classification.proto',
    'verdict.v1.ACTIVATION_SOFTMAX': 'verdict/v1/classification.proto',
    'grpc.health.v1.HealthCheckResponse.ServingStatus': 'grpc/health/v1/health.proto',
    'grpc.health.v1.HealthCheckResponse.SERVING': 'grpc/health/v1/health.proto',
    'google.api.http': 'google/api/annotations.proto',
  };
  for (const service of [v1, v1alpha]) {
    const questions = Object.keys(symbols).map(
      (value): Question => ({ $case: 'fileContainingSymbol', value }),
    );
    const answers = await ask(questions, service);
    assert.deepEqual(
      answers.map((answer) => namesOf(answer)[0]),
      Object.values(symbols),
    );
  }
});

test('comments and http options are still there', { timeout }, async () => {
  const [answer] = await ask([{ $case: 'fileContainingSymbol', value: 'verdict.v1.ClassifierService' }]);
  const [bytes] = files(answer);
  assert.ok(bytes);
  const file = fromBinary(FileDescriptorProtoSchema, bytes);
  const comments = file.sourceCodeInfo?.location.map(({ leadingComments }) => leadingComments).join('') ?? '';
  assert.match(comments, /Classifies one text or pair\./);
  assert.ok(bytes.includes('/v1/models/{model}:classify'));
});

test('a file that the stream has seen is not sent again as a dependency', { timeout }, async () => {
  const question: Question = { $case: 'fileByFilename', value: 'verdict/v1/classifier_service.proto' };
  const [first, second] = await ask([question, question]);
  assert.ok(namesOf(first).length > 1);
  assert.deepEqual(namesOf(second), [question.value]);
});

test('the services are listed', { timeout }, async () => {
  const [answer] = await ask([{ $case: 'listServices', value: '' }]);
  assert.ok(answer?.$case === 'listServicesResponse');
  const names = answer.value.service.map(({ name }) => name);
  assert.deepEqual(names, [
    'grpc.health.v1.Health',
    v1,
    v1alpha,
    'inference.GRPCInferenceService',
    'tei.v1.Info',
    'tei.v1.Predict',
    'verdict.v1.CacheService',
    'verdict.v1.ClassifierService',
    'verdict.v1.ModelService',
  ]);
});

test('extensions are found by type and number', { timeout }, async () => {
  const containingType = 'google.protobuf.MethodOptions';
  const [file, numbers, none] = await ask([
    { $case: 'fileContainingExtension', value: { containingType, extensionNumber: 72295728 } },
    { $case: 'allExtensionNumbersOfType', value: containingType },
    { $case: 'allExtensionNumbersOfType', value: 'verdict.v1.ClassifyRequest' },
  ]);
  assert.equal(namesOf(file)[0], 'google/api/annotations.proto');
  assert.ok(numbers?.$case === 'allExtensionNumbersResponse');
  assert.deepEqual(numbers.value.extensionNumber, [72295728]);
  assert.ok(none?.$case === 'allExtensionNumbersResponse');
  assert.deepEqual(none.value.extensionNumber, []);
});

test('what does not exist is answered with an error, and the stream goes on', { timeout }, async () => {
  const answers = await ask([
    { $case: 'fileByFilename', value: 'nope.proto' },
    { $case: 'fileContainingSymbol', value: '__proto__' },
    {
      $case: 'fileContainingExtension',
      value: { containingType: 'verdict.v1.TextPair', extensionNumber: 1 },
    },
    { $case: 'allExtensionNumbersOfType', value: 'nope' },
  ]);
  for (const answer of answers) {
    assert.ok(answer?.$case === 'errorResponse');
    assert.equal(answer.value.errorCode, status.NOT_FOUND);
  }
  assert.equal(answers.length, 4);
});

test('a question of no known kind is answered as such', { timeout }, async () => {
  await Edge.run({}, async (edge) => {
    await RawCall.run(edge.port, async (session) => {
      const call = new RawCall(session, `/${v1}/ServerReflectionInfo`);
      call.stream.end(
        frame(ServerReflectionRequest.encode({ host: '', messageRequest: undefined }).finish()),
      );
      let bytes = Buffer.alloc(0);
      for await (const chunk of call.stream) bytes = Buffer.concat([bytes, chunk as Buffer]);
      assert.ok(bytes.includes('message_request: must be set'));
      assert.equal((await call.trailers)['grpc-status'], '0');
    });
  });
});
