// Imported into every process of the test runner. A timer or socket that a test leaves behind keeps its process alive,
// on Node.js 24 for ever. Such a file fails, and says what it left. (`--test-force-exit` loses results on the way.)
import { after } from 'node:test';

const GRACE_MS = 10_000;

// The runner itself has no such context: only the processes that it starts for the files.
if (process.env.NODE_TEST_CONTEXT !== undefined) {
  after(() => {
    setTimeout(() => {
      const counts = {};
      for (const name of process.getActiveResourcesInfo()) counts[name] = (counts[name] ?? 0) + 1;
      console.error(`its tests have ended, yet this holds it: ${JSON.stringify(counts)}`);
      process.exit(1);
    }, GRACE_MS).unref();
  });
}
