import { readFile } from 'node:fs/promises';
import { type App, createApp } from '../app.js';
import { ConfigError } from '../config/config-error.js';
import { settingsHelp } from '../config/help.js';
import { type Config, loadConfig } from '../config.js';
import { VerdictError } from '../errors.js';
import { type IgnoredSignal, ignoreSignals, onReloadSignals, onStopSignals } from '../signals.js';
import { adoptOutput } from '../telemetry/adopt-output.js';
import { createLogger, type Logger } from '../telemetry/logger.js';
import { writeAtOnce } from '../telemetry/without-waiting.js';
import { boundHeapGrowth } from './bound-heap-growth.js';

const EXIT = { ok: 0, failed: 1, usage: 2 } as const;

const STDERR = 2;

const HELP = `Usage: verdict serve [flags]

Serves the models over gRPC until SIGTERM or Ctrl-C. SIGHUP reloads the models that have changed.
`;

/**
 * Runs the service until a signal ends it: SIGTERM with the grace for load balancers, SIGINT without, a second signal
 * at once.
 *
 * @param argv flags alone
 * @returns the exit code: 0 for help, 2 for wrong settings. Otherwise the process ends here: with 0 after a clean
 *   stop, with 1 if it could not start or was cut off, by SIGKILL if a part of it did not end
 */
export async function serve(argv: readonly string[]): Promise<number> {
  if (argv.includes('--help') || argv.includes('-h')) {
    process.stdout.write(`${HELP}\n${settingsHelp()}`);
    return EXIT.ok;
  }
  let tellIgnored: (signal: IgnoredSignal) => void = () => {};
  ignoreSignals(process, (signal) => tellIgnored(signal));
  // Until there is a server, there is nothing to reload: it will read what there is by then.
  let reload = () => {};
  onReloadSignals(process, () => reload());
  let config: Config;
  try {
    config = await loadConfig({ argv, env: process.env, cwd: process.cwd() });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return EXIT.usage;
  }
  boundHeapGrowth();
  // With DEBUG, ioredis would print each command that it sends, including the password of Redis.
  delete process.env.DEBUG;
  const log = createLogger(config.log);
  tellIgnored = (signal) => log.warn({ signal }, 'this signal is ignored');
  const release = adoptOutput(log, process);
  const end = await run(config, log, (app) => {
    reload = () => {
      log.info({ signal: 'SIGHUP' }, 'reloading the models');
      app.reloadModels();
    };
  });
  reload = () => {};
  await endLog(log, end);
  // Not earlier: what is printed while the log is being written would land among its lines as plain text.
  release();
  // A process or thread that did not end in time must not keep this process alive.
  process.exit(end.code);
}

/** How a run ended. */
interface End {
  readonly code: number;
  /** A part does not end. If it is a thread, Node would wait for it for ever. */
  readonly isStuck: boolean;
}

/** Writes the waiting log lines, for at most half a second or until another signal. Reports lost lines. */
async function endLog(log: Logger, end: End): Promise<void> {
  const leave = () => (end.isStuck ? killSelf() : process.exit(end.code));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, leave);
  const { droppedLines, isStuck } = await log.close();
  if (droppedLines > 0) {
    writeAtOnce(STDERR, `${droppedLines} log lines were lost: nobody read them in time\n`);
  }
  if (isStuck || end.isStuck) killSelf();
}

/** At its end, Node waits for threads in system calls, so nothing milder is sure to end this process. */
function killSelf(): void {
  process.kill(process.pid, 'SIGKILL');
}

/** @param onApp called with what is about to start */
async function run(config: Config, log: Logger, onApp: (app: App) => void): Promise<End> {
  let app: App;
  try {
    app = await createApp(config, await packageVersion(), log);
  } catch (error) {
    return notStarted(error, false);
  }
  onApp(app);
  const stopped = new Promise<End>((resolve) => {
    onStopSignals(process, {
      stop: (signal) => {
        log.info({ signal }, 'stopping');
        void app.stop(signal === 'SIGTERM').then(({ clean, unfinished, failures }) => {
          if (!clean)
            log.error({ unfinished, failures: failures.map(String) }, 'stopped before everything was done');
          resolve({ code: clean ? EXIT.ok : EXIT.failed, isStuck: unfinished.length > 0 });
        });
      },
      force: (signal) => {
        log.warn({ signal }, 'stopping at once');
        void app.force();
      },
    });
  });
  // A hanging start ends with the stop, whose report decides.
  return Promise.race([stopped, start(app, config, log).then((failed) => failed ?? stopped)]);
}

/** @returns the end if the start failed */
async function start(app: App, { server, http, admin }: Config, log: Logger): Promise<End | undefined> {
  try {
    const { port, httpPort, adminPort } = await app.start();
    log.info(
      {
        address: `${server.host}:${port}`,
        ...(httpPort === undefined ? {} : { http: `${http.host}:${httpPort}` }),
        admin: `${admin.host}:${adminPort}`,
      },
      'serving',
    );
    return undefined;
  } catch (error) {
    // A stop during the start is not a failure: its own report decides.
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
