import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { repositoryRoot } from '../../support/repository.js';
import { Service } from '../../support/service.js';
import { suiteCleanup } from '../../support/suite-cleanup.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { findTool, skipWithout } from '../../support/tool.js';

const run = promisify(execFile);
const script = join(repositoryRoot, 'test/fixtures/clients/tei_client.py');
const recordedPath = join(repositoryRoot, 'test/fixtures/peers/tei-recorded.json');

interface Prediction {
  readonly score: number;
  readonly label: string;
}

interface Answer {
  readonly predictions: readonly Prediction[];
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** What came of a call: its answers, as JSON with the names of the contract, and its status. */
interface Called<A = Answer> {
  readonly answers: readonly A[];
  readonly code: number;
  readonly message: string;
}

type Step = 'scores' | 'raw' | 'whole' | 'front' | 'end' | 'pair' | 'stream' | 'pairs' | 'pairs_with_three';

/** What the script printed. */
type Seen = Readonly<Record<Step, Called>> & {
  /** By the name of the recorded case. */
  readonly recorded: Readonly<Record<string, Called<Readonly<Record<string, unknown>>>>>;
};

/** What text-embeddings-inference answered. */
interface Recorded {
  readonly name: string;
  readonly response?: Readonly<Record<string, unknown>>;
  readonly responses?: readonly Readonly<Record<string, unknown>>[];
  readonly status?: { readonly code: number };
}

const recorded: readonly Recorded[] = JSON.parse(readFileSync(recordedPath, 'utf8'));

/** A text of white space is refused here, and answered by them. */
const BLANK = 'blank text';

/** What comes before a failure is answered here, and lost there. */
const FAILING_STREAM = 'a stream with an empty text in the middle';

/** The names of the fields, those within messages too. What a loader adds for oneofs, and optional fields that we never set, are left out. */
function fieldsOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 1).map(fieldsOf);
  if (typeof value !== 'object' || value === null) return '';
  const kept = Object.entries(value).filter(
    ([name]) => !name.startsWith('_') && !['sha', 'model_sha', 'max_batch_requests'].includes(name),
  );
  return Object.fromEntries(kept.map(([name, field]) => [name, fieldsOf(field)]));
}

describe('a client that grpcio-tools made of proto/tei', { skip: await skipWithout('python-grpc') }, () => {
  const cleanup = suiteCleanup();
  let service: Service;
  let seen: Seen;

  before(async () => {
    const tool = await findTool('python-grpc');
    assert.ok('path' in tool);
    const code = temporaryFolder(cleanup);
    const protos = join(repositoryRoot, 'proto');
    await run(tool.path, [
      ...['-m', 'grpc_tools.protoc', '-I', protos, `--python_out=${code}`, `--grpc_python_out=${code}`],
      join(protos, 'tei/v1/tei.proto'),
    ]);
    // A model that gives several labels at once.
    service = await Service.start(['topics']);
    const { stdout } = await run(tool.path, [script, service.server.address, recordedPath], {
      env: { PATH: process.env.PATH, PYTHONPATH: code },
      timeout: 60_000,
      maxBuffer: 8 * 2 ** 20,
    });
    seen = JSON.parse(stdout);
  });

  after(() => service.stop());

  for (const { name, response, responses, status } of recorded) {
    if (name === BLANK || name === FAILING_STREAM) continue;
    it(`gets for "${name}" the code and the fields that were recorded`, () => {
      const called = seen.recorded[name];
      assert.equal(called?.code, status?.code ?? 0);
      const theirs = responses ?? (response === undefined ? [] : [response]);
      assert.deepEqual(called?.answers.map(fieldsOf), theirs.map(fieldsOf));
    });
  }

  it('is refused a text of white space, and gets what a stream answered before it failed', () => {
    const blank = seen.recorded[BLANK];
    assert.deepEqual([blank?.code, blank?.message], [3, 'inputs: must hold more than white space']);
    const failing = seen.recorded[FAILING_STREAM];
    const theirs = recorded.find(({ name }) => name === FAILING_STREAM);
    assert.deepEqual([failing?.code, failing?.answers.length], [theirs?.status?.code, 1]);
  });

  it('gets each label of a multi-label model with its own score, best first', async () => {
    const [answer] = seen.scores.answers;
    const own = await service.client.classify('the match and the parliament', { topK: 0 });
    assert.deepEqual(
      answer?.predictions.map(({ label, score }) => [label, Math.fround(score)]),
      own.predictions.map(({ label, score }) => [label, Math.fround(score)]),
    );
    const sum = answer?.predictions.reduce((total, { score }) => total + score, 0) ?? 0;
    assert.ok(sum > 1.5, `two labels hold at once: ${sum}`);
  });

  it('gets the logits of those scores with raw_scores', () => {
    const [answer] = seen.scores.answers;
    const [raw] = seen.raw.answers;
    assert.deepEqual(
      raw?.predictions.map(({ label }) => label),
      answer?.predictions.map(({ label }) => label),
    );
    for (const [index, { score }] of raw?.predictions.entries() ?? []) {
      const sigmoid = 1 / (1 + Math.exp(-score));
      assert.ok(Math.abs(sigmoid - (answer?.predictions[index]?.score ?? 0)) < 1e-6, String(score));
    }
  });

  it('has a text that is too long refused, or cut at the side that it names', () => {
    assert.equal(seen.whole.code, 3);
    assert.match(seen.whole.message, /^inputs: .*tokens long/);
    assert.equal(seen.front.answers[0]?.predictions[0]?.label, 'sports');
    assert.equal(seen.end.answers[0]?.predictions[0]?.label, 'politics');
  });

  it('sends pairs', () => {
    const [answer] = seen.pair.answers;
    assert.equal(answer?.predictions.length, 4);
    assert.equal(answer.metadata.compute_chars, 15);
    assert.ok(Math.max(...answer.predictions.map(({ score }) => score)) > 1, 'a raw logit');
  });

  it('gets the answers of a stream longer than the window, in their order', () => {
    assert.equal(seen.stream.code, 0);
    assert.deepEqual(
      seen.stream.answers.map(({ metadata }) => metadata.compute_chars),
      Array.from({ length: 300 }, (_, number) => `match ${number}`.length),
    );
  });

  it('mixes texts and pairs in a stream, which ends at a request that is wrong', () => {
    assert.deepEqual(
      seen.pairs.answers.map(({ metadata }) => metadata.compute_chars),
      [5, 15],
    );
    const { answers, code, message } = seen.pairs_with_three;
    assert.deepEqual([answers.length, code, message], [1, 3, 'inputs: must have one text or two, has 3']);
  });
});
