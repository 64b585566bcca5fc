import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { EnvoyService } from '../support/envoy-service.js';
import { repositoryRoot } from '../support/repository.js';
import { requireTool, skipWithout } from '../support/tool.js';
import { stable, type Transcript, transcripts } from '../support/transcripts.js';
import { until } from '../support/until.js';

const run = promisify(execFile);
const path = join(repositoryRoot, 'docs/http.md');
const page = await readFile(path, 'utf8');

/** Afterwards that model is gone for good. */
const last = 'without instances of intent';

/** Set, the transcripts are written anew instead of compared. */
const updates = process.env.UPDATE_TRANSCRIPTS === '1';

describe('the commands of docs/http.md, against a real server behind a real Envoy', {
  skip: await skipWithout('envoy'),
}, () => {
  let stack: EnvoyService;
  /** Folders of the programs that the commands call. */
  const folders = new Set<string>();
  const written: { readonly transcript: Transcript; readonly output: string }[] = [];

  before(async () => {
    stack = await EnvoyService.start(['sentiment', 'intent'], { VERDICT_MAX_QUEUE_ITEMS: '2' });
  });

  after(async () => {
    await stack.stop();
    if (!updates) return;
    let fresh = page;
    for (const { transcript, output } of written.sort((a, b) => b.transcript.start - a.transcript.start)) {
      fresh = fresh.slice(0, transcript.start) + output + fresh.slice(transcript.end);
    }
    await writeFile(path, fresh);
  });

  /** Whether the program is there; where not, the test is skipped. */
  async function has(t: TestContext, program: 'curl' | 'grpcurl'): Promise<boolean> {
    const tool = await requireTool(t, program);
    if (tool !== undefined) folders.add(dirname(tool));
    return tool !== undefined;
  }

  /** What the command prints, as a shell runs it. */
  async function shell(command: string): Promise<string> {
    const here = command
      .replaceAll('localhost:8080', new URL(stack.envoy.url).host)
      .replaceAll('localhost:9464', new URL(stack.service.server.adminUrl).host);
    const env = { ...process.env, PATH: [process.env.PATH ?? '', ...folders].join(delimiter) };
    const { stdout } = await run('sh', ['-c', here], { env });
    return stdout.replaceAll('\r', '').replace(/\n*$/, '\n');
  }

  /** Runs the body while the session hangs: if wanted, with one input in it and a full queue behind it. */
  async function whileHeld(withQueue: boolean, body: () => Promise<string>): Promise<string> {
    const { service } = stack;
    const release = service.holdSession('sentiment');
    const calls: Promise<unknown>[] = [];
    try {
      if (withQueue) {
        calls.push(stack.post('/v1:classify', { text: 'the one that runs' }));
        await service.untilRunning('sentiment');
        const inputs = [{ text: 'one that waits' }, { text: 'another one' }];
        calls.push(stack.post('/v1:batchClassify', { inputs }));
        await service.untilQueued('sentiment', 2);
      }
      return await body();
    } finally {
      release();
      await Promise.all(calls);
    }
  }

  async function withoutIntent(body: () => Promise<string>): Promise<string> {
    const ready = stack.service.server.log.findLast((l) => l.msg === 'session ready' && l.model === 'intent');
    await stack.service.withhold('intent');
    process.kill(Number(ready?.pid), 'SIGKILL');
    const probe = () => stack.post('/v1/models/intent:classify', { text: 'anything' });
    await until('the model is gone', async () => (await probe()).status === 503);
    return body();
  }

  const conditions: Record<string, (body: () => Promise<string>) => Promise<string>> = {
    '': (body) => body(),
    'while the queue is full': (body) => whileHeld(true, body),
    'while the session hangs': (body) => whileHeld(false, body),
    [last]: withoutIntent,
  };

  const testOf = (transcript: Transcript): void => {
    const { condition, command, output } = transcript;
    it(`${command.slice(0, 90)}${condition && ` (${condition})`}`, async (t) => {
      const program = command.startsWith('grpcurl') ? 'grpcurl' : 'curl';
      if (!(await has(t, program))) return;
      const within = conditions[condition];
      assert.ok(within !== undefined, `nothing is known of the condition: ${condition}`);
      const now = await within(() => shell(command));
      if (updates) written.push({ transcript, output: now });
      else assert.equal(stable(now), stable(output));
    });
  };

  const all = transcripts(page);
  for (const transcript of all) if (transcript.condition !== last) testOf(transcript);

  it('every curl line of the table for those who come from a /predict API works', async (t) => {
    if (!(await has(t, 'curl'))) return;
    const lines = [...page.matchAll(/\| `(curl .*?)` \|$/gm)].map(([, line = '']) =>
      line.replaceAll('\\|', '|'),
    );
    assert.ok(lines.length >= 10);
    for (const line of lines) {
      const output = await shell(line.replace('curl ', 'curl --fail '));
      assert.ok(output.length > 2, line);
    }
  });

  for (const transcript of all) if (transcript.condition === last) testOf(transcript);
});
