import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { COMMANDS } from '../../../src/cli/commands.js';
import { run } from '../../../src/cli/run.js';
import { type Behaviour, startTestServer } from '../client/test-server.js';
import { type FakeContext, fakeContext } from './fake-context.js';

/** Where the files of these tests are. */
export const dir = mkdtempSync(join(tmpdir(), 'verdict-classify-'));
const open: { close(): void }[] = [];
after(() => {
  for (const server of open) server.close();
  rmSync(dir, { recursive: true });
});

/** Runs `verdict classify` against a server that does as the test says. */
export async function classify(
  argv: readonly string[],
  { behaviour = {}, context = fakeContext() }: { behaviour?: Behaviour; context?: FakeContext } = {},
) {
  const server = await startTestServer(behaviour);
  open.push(server);
  const commandLine = { version: '0', commands: COMMANDS, serve: async () => 0 };
  const code = await run(['classify', '--address', server.address, ...argv], commandLine, context);
  const json = () =>
    context
      .out()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { code, json, out: context.out(), err: context.err() };
}

export function file(name: string, text: string): string {
  const path = join(dir, name);
  writeFileSync(path, text);
  return path;
}

/** Half of the rows right: the test server says POSITIVE, index 1, to everything. */
export function ratings(name: string, count: number): string {
  return file(
    name,
    `sentence\tlabel\n${Array.from({ length: count }, (_, n) => `text ${n}\t${n % 2}`).join('\n')}\n`,
  );
}
