import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isLoopback } from '../../src/config/loopback.js';

describe('an address to listen on', () => {
  for (const host of ['127.0.0.1', '127.8.9.10', '::1', 'localhost', '::ffff:127.0.0.1']) {
    it(`is loopback: ${host}`, () => assert.ok(isLoopback(host)));
  }
  for (const host of ['0.0.0.0', '::', '10.0.0.1', 'verdict.example', '::ffff:10.0.0.1', '128.0.0.1']) {
    it(`is not: ${host}`, () => assert.ok(!isLoopback(host)));
  }
});
