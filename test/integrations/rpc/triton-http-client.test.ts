import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { HttpService } from '../../support/http-service.js';
import { TestKeyFile } from '../../support/key-files.js';
import { repositoryRoot } from '../../support/repository.js';
import { suiteCleanup } from '../../support/suite-cleanup.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { findTool, skipWithout } from '../../support/tool.js';

const run = promisify(execFile);
const script = join(repositoryRoot, 'test/fixtures/clients/triton_http.py');

interface Inferred {
  readonly id: string | null;
  readonly version: string;
  readonly label: readonly string[][];
  readonly LABEL: readonly string[][];
  readonly score: readonly number[][];
  readonly index: readonly number[][];
  readonly logits: readonly number[][];
}

interface Refused {
  readonly status: string;
  readonly message: string;
}

/** What the script printed. */
interface Seen {
  readonly live: boolean;
  readonly ready: boolean;
  readonly model_ready: readonly boolean[];
  readonly server: { readonly name: string; readonly extensions: readonly string[] };
  readonly model: { readonly name: string; readonly inputs: readonly unknown[] };
  readonly config: { readonly max_batch_size: number; readonly output: readonly unknown[] };
  readonly column: readonly string[][];
  readonly async: readonly Inferred[];
  readonly states: readonly Readonly<Record<string, string>>[];
  readonly binary: Inferred;
  readonly json: Inferred;
  readonly json_in: Inferred;
  readonly json_out: Inferred;
  readonly gzip: Inferred;
  readonly deflate: Inferred;
  readonly mixed: Inferred;
  readonly all: Inferred;
  readonly options: Inferred;
  readonly nothing_likely: Inferred;
  readonly no_key: Refused;
  readonly unknown_parameter: Refused;
  readonly bad_text: Refused;
  readonly class_count: Refused;
  readonly unknown_model: Refused;
  readonly statistics: Refused;
  readonly not_operator: Refused;
}

describe('tritonclient over HTTP, unchanged', { skip: await skipWithout('python-triton') }, () => {
  const cleanup = suiteCleanup();
  let http: HttpService;
  let headers: Record<string, string>;
  let seen: Seen;

  before(async () => {
    const tool = await findTool('python-triton');
    assert.ok('path' in tool);
    const keys = new TestKeyFile(temporaryFolder(cleanup));
    const key = keys.add('web');
    const operator = keys.add('ops', { scopes: ['admin'] });
    keys.write();
    headers = { authorization: `Bearer ${key}` };
    http = await HttpService.start(['topics', 'softmaxed'], { VERDICT_API_KEYS_FILE: keys.path });
    const { stdout } = await run(tool.path, [script, new URL(http.url).host, key, operator], {
      timeout: 60_000,
    });
    seen = JSON.parse(stdout);
  });

  after(() => http.stop());

  it('finds the server live and ready, and its models', () => {
    assert.deepEqual([seen.live, seen.ready, seen.model_ready], [true, true, [true, true, false]]);
    assert.equal(seen.server.name, 'verdict');
    assert.ok(seen.server.extensions.includes('binary_tensor_data'));
    assert.deepEqual(seen.model.inputs, [{ name: 'text', datatype: 'BYTES', shape: [-1] }]);
    assert.deepEqual(seen.config.output.at(-1), { name: 'logits', data_type: 'TYPE_FP32', dims: [-1, 4] });
  });

  it('gets the answers of the own service, in JSON and as binary data', async () => {
    const inputs = [{ text: 'match' }, { text: 'parlement é' }];
    const own = (await http.post('/v1:batchClassify', { inputs }, headers)).json as unknown as {
      readonly results: readonly {
        readonly classification: { readonly predictions: readonly Predicted[] };
      }[];
    };
    const rows = own.results.map(({ classification }) => classification.predictions);
    assert.deepEqual(seen.binary, {
      ...{ id: 'first', version: '1' },
      label: rows.map((row) => row.map(({ label }) => label)),
      score: rows.map((row) => row.map(({ score }) => Math.fround(score))),
      index: rows.map((row) => row.map(({ index }) => index)),
    });
    for (const other of [seen.json, seen.json_in, seen.json_out, seen.gzip, seen.deflate])
      assert.deepEqual(other, seen.binary);
  });

  it('sends columns, pairs and options, each in its own way', () => {
    assert.deepEqual(seen.column, [['sports'], ['technology']]);
    assert.deepEqual([seen.mixed.label.length, seen.mixed.score.length], [1, 1]);
    assert.deepEqual([seen.options.id, seen.options.label], ['job-0-1', [['food']]]);
    assert.deepEqual([seen.all.LABEL[0]?.length, seen.all.logits[0]?.length], [4, 4]);
    assert.deepEqual([seen.nothing_likely.label, seen.nothing_likely.score], [[[]], [[]]]);
  });

  it('gets each answer to its own request', () => {
    assert.deepEqual(
      seen.async.map(({ id, label }) => [id, label[0]?.[0]]),
      [
        ['match', 'sports'],
        ['phone', 'technology'],
        ['dinner', 'food'],
      ],
    );
  });

  it('is told what is wrong', () => {
    assert.equal(seen.no_key.status, '401');
    assert.equal(seen.unknown_parameter.status, '400');
    assert.match(seen.unknown_parameter.message, /^parameters\.temperature: /);
    assert.deepEqual(seen.bad_text, { status: '400', message: 'inputs[0][1]: must not be empty' });
    assert.match(seen.class_count.message, /^outputs\[0\]\.parameters\.classification: /);
    assert.deepEqual(seen.unknown_model, { status: '404', message: 'there is no model nope' });
    assert.deepEqual(seen.statistics, { status: '404', message: 'there is no such path' });
  });

  it('unloads and loads a model with the key for it', () => {
    assert.equal(seen.not_operator.status, '403');
    assert.deepEqual(
      seen.states.map(({ softmaxed }) => softmaxed),
      ['READY', 'UNAVAILABLE', 'READY'],
    );
  });
});

interface Predicted {
  readonly label: string;
  readonly score: number;
  readonly index: number;
}
