import { readFile } from 'node:fs/promises';
import { type App, createApp } from '../app.js';
import { ConfigError } from '../config/config-error.js';
import { settingsHelp } from '../config/help.js';
import { type Config, loadConfig } from '../config.js';
import { VerdictError } from '../errors.js';
import { onStopSignals } from '../signals.js';
import { adoptOutput } from '../telemetry/adopt-output.js';
import { createLogger, type Logger } from '../telemetry/logger.js';
import { boundHeapGrowth } from './bound-heap-growth.js';

const EXIT = { ok: 0, failed: 1, usage: 2 } as const;

/** Writes to standard error even where what others write there becomes log lines. */
const complain = process.stderr.write.bind(process.stderr);

const HELP = `Usage: verdict serve [flags]

Serves the models over gRPC until SIGTERM or Ctrl-C.
`;

/**
 * Runs the service until a signal ends it: SIGTERM with the grace for balancers, SIGINT without, a second one at once.
 *
 * @param argv flags alone
 * @returns the exit code: 0 after a clean stop, 1 when it could not start or was cut off, 2 for wrong settings
 */
export async function serve(argv: readonly string[]): Promise<number> {
  if (argv.includes('--help') || argv.includes('-h')) {
    process.stdout.write(`${HELP}\n${settingsHelp()}`);
    return EXIT.ok;
  }
  let config: Config;
  try {
    config = await loadConfig({ argv, env: process.env, cwd: process.cwd() });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return EXIT.usage;
  }
  boundHeapGrowth();
  // With it ioredis would print each command that it sends, the password of Redis among them.
  delete process.env.DEBUG;
  const log = createLogger(config.log);
  const release = adoptOutput(log, process);
  const code = await run(config, log);
  release();
  await log.close();
  // What could not be ended in time, a process or a thread, must not keep this one beyond its time.
  if (code !== EXIT.ok) process.exit(code);
  return code;
}

async function run(config: Config, log: Logger): Promise<number> {
  let app: App;
  try {
    app = await createApp(config, await packageVersion(), log);
  } catch (error) {
    return notStarted(error);
  }
  const stopped = new Promise<number>((resolve) => {
    onStopSignals(process, {
      stop: (signal) => {
        log.info({ signal }, 'stopping');
        void app.stop(signal === 'SIGTERM').then(({ clean, unfinished, failures }) => {
          if (!clean)
            log.error({ unfinished, failures: failures.map(String) }, 'stopped before all was done');
          resolve(clean ? EXIT.ok : EXIT.failed);
        });
      },
      force: (signal) => {
        log.warn({ signal }, 'stopping at once');
        void app.force();
      },
    });
  });
  try {
    const { port, adminPort } = await app.start();
    log.info(
      { address: `${config.server.host}:${port}`, admin: `${config.admin.host}:${adminPort}` },
      'serving',
    );
  } catch (error) {
    // A stop that came while starting is no failure: its own report decides.
    if (!(error instanceof VerdictError && error.code === 'cancelled')) return notStarted(error);
  }
  return stopped;
}

function notStarted(error: unknown): number {
  complain(`${error instanceof Error ? error.message : String(error)}\n`);
  return EXIT.failed;
}

async function packageVersion(): Promise<string> {
  const { version } = JSON.parse(await readFile(new URL('../../../package.json', import.meta.url), 'utf8'));
  return String(version);
}
