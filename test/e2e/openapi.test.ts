import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { EnvoyService } from '../support/envoy-service.js';
import { repositoryRoot } from '../support/repository.js';
import { requireTool, skipWithout } from '../support/tool.js';

const run = promisify(execFile);
/** Some thousand requests, on a machine that may be busy with other tests. */
const timeout = 300_000;

interface Document {
  readonly paths: Readonly<Record<string, { readonly get?: Operation; readonly post?: Operation }>>;
}
interface Operation {
  readonly responses: Readonly<Record<string, unknown>>;
  readonly requestBody: {
    readonly content: Readonly<
      Record<string, { readonly examples: Readonly<Record<string, { readonly value: unknown }>> }>
    >;
  };
}

describe('the OpenAPI document, against a real server behind a real Envoy', {
  skip: await skipWithout('envoy'),
}, () => {
  let api: EnvoyService;
  let document: Document;
  let schemaAt: (pointer: string) => ValidateFunction;

  before(async () => {
    api = await EnvoyService.start(['sentiment', 'intent']);
    document = (await (await api.service.page('/openapi.json')).json()) as Document;
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    ajv.addSchema({ $id: 'openapi', ...document });
    schemaAt = (pointer) => ajv.compile({ $ref: `openapi#${pointer}` });
  });
  after(() => api.stop());

  const allows = (pointer: string, value: unknown) => {
    const check = schemaAt(pointer);
    assert.ok(check(value), `${JSON.stringify(value)}: ${JSON.stringify(check.errors)}`);
  };

  it('is what schemathesis finds, whatever it asks', { timeout }, async (t) => {
    const python = await requireTool(t, 'python-openapi');
    if (python === undefined) return;
    const program = 'from schemathesis.cli import schemathesis; schemathesis()';
    const config = join(repositoryRoot, 'openapi/schemathesis.toml');
    const document = `${api.service.server.adminUrl}/openapi.json`;
    const args = ['--config-file', config, 'run', document, '--url', api.envoy.url, '--no-color'];
    const { stdout } = await run(python, ['-c', program, ...args]).catch(
      (error: { stdout: string }) => error,
    );
    assert.match(stdout, /Tested: 21\n/, stdout);
    assert.match(stdout, /No issues found/, stdout);
  });

  it('has examples that are answered', async () => {
    let answered = 0;
    for (const [template, { post }] of Object.entries(document.paths)) {
      if (post === undefined) continue;
      const path = template.replace('{model}', 'sentiment');
      const { examples } = post.requestBody.content['application/json'] ?? {};
      for (const { value } of Object.values(examples ?? {})) {
        const { status, json } = await api.post(path, JSON.stringify(value));
        // A server without keys lets nobody administer it through Envoy.
        if (/:(reload|load|unload|forget|set[A-Z][a-z]+|delete[A-Z][a-z]+)$/.test(template)) {
          assert.equal(status, 403, JSON.stringify(value));
          allows('/components/schemas/google.rpc.Status', json);
          continue;
        }
        assert.equal(status, 200, JSON.stringify(value));
        const at = template.replaceAll('/', '~1');
        allows(`/paths/${at}/post/responses/200/content/application~1json/schema`, json);
        answered += 1;
      }
    }
    assert.ok(answered >= 9);
  });

  it('describes each line and each event of a stream', async () => {
    const stream = JSON.stringify([
      { id: 'a', text: 'a gripping film' },
      { id: 'b', text: '  ' },
    ]);
    const message = '/components/schemas/verdict.v1.ClassifyStreamResponse';
    const lines = await api.post('/v1:classifyStream', stream, { accept: 'application/x-ndjson' });
    assert.equal(lines.headers.get('content-type'), 'application/x-ndjson');
    const events = await api.post('/v1:classifyStream', stream, { accept: 'text/event-stream' });
    assert.equal(events.headers.get('content-type'), 'text/event-stream');
    const data = events.text
      .split('\n\n')
      .filter((event) => event !== '')
      .map((event) => {
        assert.match(event, /^data: [^\n]+$/);
        return event.slice('data: '.length);
      });
    for (const messages of [lines.text.trimEnd().split('\n'), data]) {
      assert.equal(messages.length, 3);
      for (const one of messages) allows(message, JSON.parse(one));
    }
  });

  it('describes the failures of Verdict and those of Envoy', async () => {
    const { post } = document.paths['/v1:classify'] ?? {};
    for (const status of ['400', '404', '413']) assert.ok(status in (post?.responses ?? {}), status);
    assert.ok('404' in (document.paths['/v1/models/{model}']?.get?.responses ?? {}));
    const failures = [
      { status: 400, answer: await api.post('/v1:classify', '{"text":" "}') },
      { status: 400, answer: await api.post('/v1:classify', '{"text":') },
      { status: 404, answer: await api.get('/v1/models/nosuch') },
      { status: 404, answer: await api.get('/v1/nosuch') },
      { status: 413, answer: await api.post('/v1:classify', `{"text":"${'a'.repeat(9 << 20)}"}`) },
    ];
    for (const { status, answer } of failures) {
      assert.equal(answer.status, status, answer.text);
      allows('/components/schemas/google.rpc.Status', answer.json);
      assert.ok(answer.headers.get('x-request-id'));
    }
  });

  it('makes a Python client that works', { timeout }, async (t) => {
    const python = await requireTool(t, 'python-openapi');
    if (python === undefined) return;
    const page = await readFile(join(repositoryRoot, 'docs/api.md'), 'utf8');
    const [, snippet = ''] = page.split('```python\n');
    const folder = await mkdtemp(join(tmpdir(), 'verdict-client-'));
    try {
      const source = join(repositoryRoot, 'generated/openapi.json');
      const target = join(folder, 'verdict_http');
      const generate = ['-m', 'openapi_python_client', 'generate', '--meta', 'none'];
      await run(python, [...generate, '--path', source, '--output-path', target]);
      const program = snippet.split('```')[0]?.replace('http://localhost:8080', api.envoy.url) ?? '';
      await writeFile(join(folder, 'snippet.py'), program);
      const { stdout } = await run(python, [join(folder, 'snippet.py')]);
      assert.match(stdout, /^POSITIVE 0\.9\d+\nMODEL_NOT_FOUND\n$/);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
