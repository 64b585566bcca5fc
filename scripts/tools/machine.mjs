import { findTool } from './find-tool.mjs';
import { runCommand } from './run-command.mjs';

/** @typedef {readonly [major: number, minor: number]} Version */

/**
 * What a program lacks on this machine that nothing fetched would give it: a C library that new.
 * @param {Version} needed
 * @returns {() => Promise<string>} empty where it lacks nothing
 */
export function lacksGlibc(needed) {
  return async () => {
    // Undefined where there is another library, or another system.
    const here = process.report.getReport().header.glibcVersionRuntime;
    return isBelow(here ?? '0.0', needed)
      ? `it needs glibc ${needed.join('.')}, here is ${here ?? 'none'}`
      : '';
  };
}

/**
 * The same of a Python that old.
 * @param {Version} first that is too new
 * @returns {() => Promise<string>} empty where it lacks nothing, or where there is no Python at all
 */
export function lacksPythonBefore(first) {
  return async () => {
    const python = await findTool('python3', ['--version']);
    if (python === undefined) return '';
    const { ok, stdout } = await runCommand(
      python,
      ['-c', 'import platform; print(platform.python_version())'],
      {
        timeoutMs: 10_000,
      },
    );
    if (!ok || isBelow(stdout.trim(), first)) return '';
    return `it needs Python before ${first.join('.')}, here is ${stdout.trim()}`;
  };
}

function isBelow(version, [major, minor]) {
  const [itsMajor, itsMinor] = version.split('.').map(Number);
  return itsMajor < major || (itsMajor === major && itsMinor < minor);
}
