import { constants } from 'node:fs';
import { access, mkdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { findTool } from './find-tool.mjs';
import { toolsDir } from './paths.mjs';
import { runCommand } from './run-command.mjs';

const grpcurlModule = 'github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.3';

/**
 * Builds grpcurl with the Go toolchain of this machine.
 *
 * @returns {Promise<string>} empty when done, else why not
 */
export async function provideGrpcurl() {
  const go = await findTool('go', ['version'], ['/usr/local/go/bin', '/usr/lib/go/bin']);
  if (go === undefined)
    return 'it is not on the PATH, and without Go it cannot be built: install grpcurl or Go 1.21 or newer';
  const work = join(toolsDir, `grpcurl-${process.pid}.new`);
  await mkdir(work, { recursive: true });
  try {
    const built = await runCommand(go, ['install', grpcurlModule], {
      timeoutMs: 480_000,
      cwd: work,
      env: {
        ...process.env,
        ...(await cacheFolders(work)),
        GOBIN: work,
        GOFLAGS: '-mod=mod -modcacherw',
        CGO_ENABLED: '0',
      },
    });
    if (!built.ok) return built.reason;
    const bin = join(toolsDir, 'bin');
    await mkdir(bin, { recursive: true });
    await rename(join(work, 'grpcurl'), join(bin, 'grpcurl'));
    return '';
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** The user's own Go caches make the second clone quick; an account without a home gets some that are thrown away. */
async function cacheFolders(work) {
  try {
    await access(homedir(), constants.W_OK);
    return {};
  } catch {
    return { HOME: work, GOPATH: join(work, 'path'), GOCACHE: join(work, 'cache') };
  }
}
