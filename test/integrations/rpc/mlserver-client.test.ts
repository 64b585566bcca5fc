import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { HttpService } from '../../support/http-service.js';
import { repositoryRoot } from '../../support/repository.js';
import { findTool, skipWithout } from '../../support/tool.js';

const run = promisify(execFile);
const script = join(repositoryRoot, 'test/fixtures/clients/mlserver_codecs.py');

interface Inferred {
  readonly label: readonly string[];
  readonly score: readonly number[][];
  readonly index: readonly number[][];
}

/** What the script printed. */
interface Seen {
  readonly http: Inferred;
  readonly grpc: Inferred;
  readonly grpc_raw: Inferred;
  readonly table: Inferred;
  readonly images: { readonly status: number; readonly error: string };
}

describe("MLServer's codecs, unchanged", { skip: await skipWithout('python-mlserver') }, () => {
  let http: HttpService;
  let seen: Seen;

  before(async () => {
    const tool = await findTool('python-mlserver');
    assert.ok('path' in tool);
    http = await HttpService.start(['topics']);
    const addresses = [new URL(http.url).host, http.service.server.address];
    const { stdout } = await run(tool.path, [script, ...addresses], { timeout: 60_000 });
    seen = JSON.parse(stdout);
  });

  after(() => http.stop());

  it('get the answers of the own service, over HTTP and over gRPC', async () => {
    const own = await Promise.all(['match', 'parlement é'].map((text) => http.service.client.classify(text)));
    const expected = {
      label: own.map(({ label }) => label),
      score: own.map(({ score }) => [Math.fround(score ?? 0)]),
      index: own.map(({ predictions }) => [predictions[0]?.index]),
    };
    for (const told of [seen.http, seen.grpc, seen.grpc_raw])
      assert.deepEqual({ ...told, score: told.score.map((row) => row.map(Math.fround)) }, expected);
  });

  it('send the columns of a table as texts and their second texts', async () => {
    const pairs = [
      { text: 'match', textPair: 'team' },
      { text: 'phone', textPair: 'laptop' },
    ];
    const own = await Promise.all(pairs.map((pair) => http.service.client.classify(pair)));
    assert.deepEqual(
      seen.table.label,
      own.map(({ label }) => label),
    );
  });

  it('are told of a type of content that is no text', () => {
    assert.deepEqual(seen.images, {
      status: 400,
      error: 'inputs[0].parameters.content_type: must be the string str',
    });
  });
});
