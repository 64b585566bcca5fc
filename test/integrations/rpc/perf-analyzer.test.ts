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

  before(async () => {
    http = await HttpService.start(['topics']);
  });

  after(() => http.stop());

  const ways = [
    { protocol: 'http', flags: [] },
    { protocol: 'grpc', flags: [] },
    { protocol: 'grpc', flags: ['--streaming'] },
  ] as const;
  for (const { protocol, flags } of ways) {
    it(`measures over ${[protocol, ...flags].join(' ')}`, async (t) => {
      const inputData = join(temporaryFolder(t), 'data.json');
      writeFileSync(inputData, JSON.stringify(data));
      const tool = await findTool('perf_analyzer');
      assert.ok('path' in tool);
      const address = protocol === 'http' ? new URL(http.url).host : http.service.server.address;
      const settings = ['--input-data', inputData, '--request-count', String(requests)];
      const { stdout } = await run(
        tool.path,
        ['-m', 'topics', '-i', protocol, '-u', address, ...settings, ...flags],
        { timeout: 60_000 },
      );
      // A request that fails ends the program with another code.
      assert.match(stdout, new RegExp(`Request count: ${requests}\\n`));
      assert.match(stdout, /Throughput: \d/);
    });
  }
});
