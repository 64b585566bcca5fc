import { spawn } from 'node:child_process';

/**
 * Runs a program with a limit on its time and its output, and without a terminal. Never rejects.
 *
 * @param {string} file
 * @param {readonly string[]} args
 * @param {{ timeoutMs: number, cwd?: string, env?: NodeJS.ProcessEnv, uid?: number, gid?: number }} options
 * @returns {Promise<{ ok: boolean, stdout: string, reason: string }>} `reason`: the last words of a failure, one line
 */
export function runCommand(file, args, { timeoutMs, ...options }) {
  return new Promise((resolve) => {
    // A group of its own, so that the limit ends what the program started too.
    const child = spawn(file, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    let stdout = '';
    let stderr = '';
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      killGroup(child);
    }, timeoutMs);
    child.stdout.setEncoding('utf8').on('data', (chunk) => {
      stdout = (stdout + chunk).slice(-maxOutputChars);
    });
    child.stderr.setEncoding('utf8').on('data', (chunk) => {
      stderr = (stderr + chunk).slice(-maxOutputChars);
    });
    child.on('error', (error) => {
      clearTimeout(timer);
      resolve({ ok: false, stdout, reason: error.message });
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (code === 0) resolve({ ok: true, stdout, reason: '' });
      else if (timedOut)
        resolve({ ok: false, stdout, reason: `${file} took longer than ${timeoutMs / 1000} s` });
      else
        resolve({
          ok: false,
          stdout,
          reason: `${file} failed: ${lastLine(stderr) || (signal ?? `exit code ${code}`)}`,
        });
    });
  });
}

const maxOutputChars = 200_000;

function killGroup(child) {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    child.kill('SIGKILL');
  }
}

function lastLine(text) {
  return text.trim().split('\n').at(-1) ?? '';
}
