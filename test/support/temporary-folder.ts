import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A new folder, gone with the test. */
export function temporaryFolder(t: { after(step: () => void): unknown }): string {
  const path = mkdtempSync(join(tmpdir(), 'verdict-test-'));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}
