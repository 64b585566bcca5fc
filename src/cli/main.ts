import { readFileSync } from 'node:fs';
import process from 'node:process';
import { loadingTrouble } from '../descriptor-limit.js';
import { COMMANDS } from './commands.js';
import type { CliContext } from './context.js';
import { EXIT } from './exit-codes.js';
import { writeTrouble } from './file-trouble.js';
import { run } from './run.js';
import { OutputFailedError } from './usage-error.js';

/** The path of package.json from dist/src/cli. */
const PACKAGE_JSON = new URL('../../../package.json', import.meta.url);

let interruption: AbortController | undefined;

const context: CliContext = {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: (name) => process.env[name] || undefined,
  interruption() {
    if (interruption === undefined) {
      const controller = new AbortController();
      interruption = controller;
      for (const signal of ['SIGINT', 'SIGTERM'] as const) {
        process.on(signal, () => {
          // On the second signal, the user does not want to wait.
          if (controller.signal.aborted) process.exit(EXIT.interrupted);
          controller.abort();
        });
      }
    }
    return interruption.signal;
  },
};

function packageVersion(): string {
  const { version }: { version: string } = JSON.parse(readFileSync(PACKAGE_JSON, 'utf8'));
  return version;
}

// A closed standard error cannot be reported anywhere. Writers of results report failures of standard output; other
// output, such as the help of `serve`, must not get lost silently either.
process.stderr.on('error', () => undefined);
process.stdout.on('error', (error) => {
  process.once('exit', (code) => {
    const trouble = writeTrouble('standard output', error);
    if (code !== EXIT.ok || !(trouble instanceof OutputFailedError)) return;
    process.stderr.write(`verdict: ${trouble.message}\n`);
    process.exitCode = EXIT.outputFailed;
  });
});

const commandLine = {
  version: packageVersion(),
  commands: COMMANDS,
  serve: async (argv: string[]) => {
    const trouble = loadingTrouble();
    if (trouble === undefined) return (await import('./serve.js')).serve(argv);
    process.stderr.write(`${trouble}\n`);
    return EXIT.incomplete;
  },
};

try {
  process.exitCode = await run(process.argv.slice(2), commandLine, context);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = EXIT.defect;
}
