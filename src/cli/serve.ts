import { readFile } from 'node:fs/promises';
import { createApp } from '../app.js';
import { ConfigError } from '../config/config-error.js';
import { loadConfig } from '../config.js';
import { VerdictError } from '../errors.js';
import { onStopSignals } from '../signals.js';
import { createLogger } from '../telemetry/logger.js';

const EXIT = { ok: 0, failed: 1, usage: 2 } as const;

/**
 * Runs the service until a signal ends it: SIGTERM with the grace for balancers, SIGINT without, a second one at once.
 *
 * @param argv flags alone
 * @returns the exit code: 0 after a clean stop, 1 when it could not start or was cut off, 2 for wrong settings
 */
export async function serve(argv: readonly string[]): Promise<number> {
  let config: Awaited<ReturnType<typeof loadConfig>>;
  try {
    config = await loadConfig({ argv, env: process.env, cwd: process.cwd() });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return EXIT.usage;
  }
  const log = createLogger(config.log);
  const app = await createApp(config, await packageVersion(), log);
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
    if (!(error instanceof VerdictError && error.code === 'cancelled')) {
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
      await log.close();
      return EXIT.failed;
    }
  }
  const code = await stopped;
  await log.close();
  return code;
}

async function packageVersion(): Promise<string> {
  const { version } = JSON.parse(await readFile(new URL('../../../package.json', import.meta.url), 'utf8'));
  return String(version);
}
