import assert from 'node:assert/strict';
import { it } from 'node:test';
import { S3Server } from '../../support/s3-server.js';
import { requireTool } from '../../support/tool.js';

it('the S3 server of these tests answers nobody without a key', async (t) => {
  if ((await requireTool(t, 'rclone')) === undefined) return;
  const server = await S3Server.start();
  t.after(() => server.stop());
  const { ok } = await fetch(`${server.endpoint}/`);
  assert.equal(ok, false);
});
