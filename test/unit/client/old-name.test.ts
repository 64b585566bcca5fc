import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as old from 'verdict/client';
import * as client from '../../../clients/typescript/src/index.js';

test("The server's package exports the client under its old name, for one release", () => {
  assert.deepEqual(Object.keys(old).sort(), ['DEFAULT_ADDRESS', 'VerdictClient', 'VerdictClientError']);
  assert.equal(old.VerdictClient, client.VerdictClient);
});
