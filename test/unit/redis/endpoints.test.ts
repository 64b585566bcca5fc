import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseEndpoints } from '../../../src/redis/endpoints.js';

test('one URL names host, port, credentials and database', () => {
  assert.deepEqual(parseEndpoints('redis://me:p%40ss@cache.example:7000/3', 6379), {
    nodes: [{ host: 'cache.example', port: 7000 }],
    username: 'me',
    password: 'p@ss',
    db: 3,
    tls: false,
  });
});

test('what a URL leaves out has defaults, and rediss means TLS', () => {
  assert.deepEqual(parseEndpoints('rediss://[::1]', 6379), {
    nodes: [{ host: '::1', port: 6379 }],
    username: undefined,
    password: undefined,
    db: 0,
    tls: true,
  });
});

test('several URLs are several nodes, and a comma in a password separates none', () => {
  const { nodes, password } = parseEndpoints('redis://:a,b@one,redis://two:5,redis://three', 26379);
  assert.deepEqual(nodes, [
    { host: 'one', port: 26379 },
    { host: 'two', port: 5 },
    { host: 'three', port: 26379 },
  ]);
  assert.equal(password, 'a,b');
});

test('a bad URL is refused without a word of it', () => {
  for (const url of [
    'http://:secret@host',
    'redis://:secret@host/x',
    'redis://:secret%ZZ@host',
    'secret',
    '',
  ]) {
    assert.throws(
      () => parseEndpoints(url, 6379),
      (error: Error) => /must have the form/.test(error.message) && !error.message.includes('secret'),
    );
  }
});
