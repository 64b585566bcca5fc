import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { HttpService } from '../../support/http-service.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { findTool, skipWithout } from '../../support/tool.js';

const run = promisify(execFile);

const requests = 20;

/** Requests of one text and of several. */
const data = {
  data: [
    { text: { content: ['the coach praised the team'], shape: [1] } },
    { text: { content: ['a bowl of soup', 'the law'], shape: [2] } },
  ],
};

describe("Triton's perf_analyzer, unchanged", { skip: await skipWithout('perf_analyzer') }, () => {
  let http: HttpService;
  let inputData = '';

  before(async () => {
    inputData = join(temporaryFolder({ after }), 'data.json');
    writeFileSync(inputData, JSON.stringify(data));
    http = await HttpService.start(['topics']);
  });

  after(() => http.stop());

  const methods = [
    { protocol: 'http', flags: [], method: 'ModelInfer' },
    { protocol: 'grpc', flags: [], method: 'ModelInfer' },
    { protocol: 'grpc', flags: ['--streaming'], method: 'ModelStreamInfer' },
  ] as const;
  for (const { protocol, flags, method } of methods) {
    it(`measures over ${[protocol, ...flags].join(' ')}`, async () => {
      const tool = await findTool('perf_analyzer');
      assert.ok('path' in tool);
      const { server } = http.service;
      const labels = { grpc_method: method, grpc_code: 'OK' };
      const before = await server.metric('grpc_server_handled_total', labels);
      const address = protocol === 'http' ? new URL(http.url).host : server.address;
      const settings = ['--input-data', inputData, '--request-count', String(requests)];
      const { stdout } = await run(
        tool.path,
        ['-m', 'topics', '-i', protocol, '-u', address, ...settings, ...flags],
        { timeout: 60_000 },
      );
      assert.match(stdout, new RegExp(`Request count: ${requests}\\n`));
      assert.match(stdout, /Throughput: \d/);
      const calls = method === 'ModelInfer' ? requests : 1;
      assert.ok((await server.metric('grpc_server_handled_total', labels)) - before >= calls);
    });
  }
});
