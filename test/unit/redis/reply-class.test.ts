import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReplyError } from 'ioredis';
import { isWrongType, replyClass } from '../../../src/redis/reply-class.js';

const reply = (message: string): unknown => new ReplyError(message);

for (const [message, expected] of [
  ['WRONGTYPE Operation against a key holding the wrong kind of value', 'answered'],
  ['MOVED 3999 127.0.0.1:6381', 'answered'],
  ["OOM command not allowed when used memory > 'maxmemory'.", 'write_refused'],
  ['MISCONF Redis is configured to save RDB snapshots, but ...', 'write_refused'],
  ['NOREPLICAS Not enough good replicas to write.', 'write_refused'],
  ["READONLY You can't write against a read only replica.", 'wrong_server'],
  ['LOADING Redis is loading the dataset in memory', 'wrong_server'],
  ["MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", 'wrong_server'],
  ['NOAUTH Authentication required.', 'wrong_server'],
  ['DENIED Redis is running in protected mode ...', 'wrong_server'],
  ["NOPERM User app has no permissions to run the 'set' command", 'unusable'],
  ['CLUSTERDOWN The cluster is down', 'unusable'],
  ['BUSY Redis is busy running a script.', 'unusable'],
  ["ERR unknown command 'GETRANGE'", 'failed'],
  ['upstream failure', 'failed'],
  ['constructor', 'failed'],
  ['', 'failed'],
] as const) {
  test(`"${message}" is ${expected}`, () => {
    assert.equal(replyClass(reply(message)), expected);
    assert.equal(isWrongType(reply(message)), message.startsWith('WRONGTYPE'));
  });
}

test('what no server replied has no class', () => {
  assert.equal(replyClass(new Error('OOM')), undefined);
  assert.equal(replyClass('READONLY'), undefined);
  assert.equal(isWrongType(new Error('WRONGTYPE')), false);
});
