import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A new folder, gone with the test: steps of `after` run in their order, so a process may still write to it. */
export function temporaryFolder(t: { after(step: () => void): unknown }): string {
  const path = mkdtempSync(join(tmpdir(), 'verdict-test-'));
  t.after(() => rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }));
  return path;
}
