import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { addModel } from '../../../src/app/add-model.js';
import { familiesFolder } from '../../support/family-proof.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

describe('models add', () => {
  for (const family of readdirSync(familiesFolder).sort()) {
    it(`adds a model of the family ${family}`, async (t) => {
      const modelsDir = temporaryFolder(t);
      const { name, directory, report } = await addModel({
        source: join(familiesFolder, family, '1'),
        modelsDir,
        name: undefined,
        precisions: [],
        access: {
          hub: { endpoint: '', token: undefined, cacheDir: join(modelsDir, 'unused'), offline: true },
          s3: { endpoint: undefined, region: undefined },
          mlflow: { trackingUri: undefined, credentials: undefined },
        },
        signal: new AbortController().signal,
      });
      assert.deepEqual([name, directory], [family, join(modelsDir, family, '1')]);
      // Its answers are known: none is unchecked.
      assert.deepEqual(
        report.weights.map(({ golden }) => golden?.ok),
        [true],
      );
    });
  }
});
