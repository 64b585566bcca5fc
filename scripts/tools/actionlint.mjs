import { buildGoPrograms } from './go-programs.mjs';

const version = 'v1.7.12';

/** Checks workflows of GitHub Actions. Its version is in its name: another one may find other things. */
export const actionlint = `actionlint-${version}`;

/**
 * Builds it with the Go toolchain of this machine.
 *
 * @returns {Promise<string>} empty when done, else why not
 */
export function provideActionlint() {
  const packages = [`github.com/rhysd/actionlint/cmd/actionlint@${version}`];
  return buildGoPrograms(packages, { goVersion: '1.24', suffix: `-${version}` });
}
