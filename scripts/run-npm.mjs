import { execFile } from 'node:child_process';

const MAX_OUTPUT_BYTES = 64 * 2 ** 20;

/**
 * Runs npm. Never rejects.
 *
 * @param {readonly string[]} args
 * @param {{ cwd: string, timeoutMs: number }} options
 * @returns {Promise<{ stdout: string, trouble: string | undefined }>} `trouble`: why it did not end with 0, one line
 */
export function runNpm(args, { cwd, timeoutMs }) {
  return new Promise((resolve) => {
    const options = { cwd, timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: MAX_OUTPUT_BYTES };
    execFile('npm', args, options, (error, stdout, stderr) => {
      if (error === null) resolve({ stdout, trouble: undefined });
      else if (error.killed) resolve({ stdout, trouble: `it took longer than ${timeoutMs / 1000} s` });
      else resolve({ stdout, trouble: lastLine(stderr) ?? error.message });
    });
  });
}

/** npm ends with where its log is, which helps nobody who has no access to the machine. */
function lastLine(stderr) {
  return stderr
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.includes('A complete log of this run'))
    .at(-1);
}
