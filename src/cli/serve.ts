import { readFile } from 'node:fs/promises';
import { type App, createApp } from '../app.js';
import { ConfigError } from '../config/config-error.js';
import { settingsHelp } from '../config/help.js';
import { type Config, loadConfig } from '../config.js';
import { VerdictError } from '../errors.js';
import { type IgnoredSignal, ignoreSignals, onStopSignals } from '../signals.js';
import { adoptOutput } from '../telemetry/adopt-output.js';
import { createLogger, type Logger } from '../telemetry/logger.js';
import { writeAtOnce } from '../telemetry/without-waiting.js';
import { boundHeapGrowth } from './bound-heap-growth.js';

const EXIT = { ok: 0, failed: 1, usage: 2 } as const;

const STDERR = 2;

const HELP = `Usage: verdict serve [flags]

Serves the models over gRPC until SIGTERM or Ctrl-C.
`;

/**
 * Runs the service until a signal ends it: SIGTERM with the grace for balancers, SIGINT without, a second one at once.
 *
 * @param argv flags alone
 * @returns the exit code: 0 for help, 2 for wrong settings. Else the process ends here: with 0 after a clean stop, 1 when it
 *   could not start or was cut off, by SIGKILL when something in it did not end
 */
export async function serve(argv: readonly string[]): Promise<number> {
  if (argv.includes('--help') || argv.includes('-h')) {
    process.stdout.write(`${HELP}\n${settingsHelp()}`);
    return EXIT.ok;
  }
  let tellIgnored: (signal: IgnoredSignal) => void = () => {};
  ignoreSignals(process, (signal) => tellIgnored(signal));
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
  tellIgnored = (signal) => log.warn({ signal }, 'this signal is ignored');
  const release = adoptOutput(log, process);
  const end = await run(config, log);
  release();
  await endLog(log, end);
  // What could not be ended in time, a process or a thread, must not keep this one beyond its time.
  process.exit(end.code);
}

/** How a run ended. */
interface End {
  readonly code: number;
  /** Something does not end, whatever it is told. Node would wait for it for ever if it is a thread. */
  readonly isStuck: boolean;
}

/** Writes out the log, for half a second at most, or until another signal. Says what was lost. */
async function endLog(log: Logger, end: End): Promise<void> {
  const leave = () => (end.isStuck ? killSelf() : process.exit(end.code));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, leave);
  const { droppedLines, isStuck } = await log.close();
  if (droppedLines > 0) {
    writeAtOnce(STDERR, `${droppedLines} lines of the log were lost: nobody read them in time\n`);
  }
  if (isStuck || end.isStuck) killSelf();
}

/** Node waits at its end for threads that are in a call to the system, so nothing milder is sure to end this process. */
function killSelf(): void {
  process.kill(process.pid, 'SIGKILL');
}

async function run(config: Config, log: Logger): Promise<End> {
  let app: App;
  try {
    app = await createApp(config, await packageVersion(), log);
  } catch (error) {
    return notStarted(error, false);
  }
  const stopped = new Promise<End>((resolve) => {
    onStopSignals(process, {
      stop: (signal) => {
        log.info({ signal }, 'stopping');
        void app.stop(signal === 'SIGTERM').then(({ clean, unfinished, failures }) => {
          if (!clean)
            log.error({ unfinished, failures: failures.map(String) }, 'stopped before all was done');
          resolve({ code: clean ? EXIT.ok : EXIT.failed, isStuck: unfinished.length > 0 });
        });
      },
      force: (signal) => {
        log.warn({ signal }, 'stopping at once');
        void app.force();
      },
    });
  });
  // A start that hangs ends with the stop, whose report decides.
  return Promise.race([stopped, start(app, config, log).then((failed) => failed ?? stopped)]);
}

/** @returns the end where the start failed */
async function start(app: App, { server, admin }: Config, log: Logger): Promise<End | undefined> {
  try {
    const { port, adminPort } = await app.start();
    log.info({ address: `${server.host}:${port}`, admin: `${admin.host}:${adminPort}` }, 'serving');
    return undefined;
  } catch (error) {
    // A stop that came while starting is no failure: its own report decides.
    if (error instanceof VerdictError && error.code === 'cancelled') return undefined;
    const { unfinished } = await app.stop(false);
    return notStarted(error, unfinished.length > 0);
  }
}

function notStarted(error: unknown, isStuck: boolean): End {
  writeAtOnce(STDERR, `${error instanceof Error ? error.message : String(error)}\n`);
  return { code: EXIT.failed, isStuck };
}

async function packageVersion(): Promise<string> {
  const { version } = JSON.parse(await readFile(new URL('../../../package.json', import.meta.url), 'utf8'));
  return String(version);
}
