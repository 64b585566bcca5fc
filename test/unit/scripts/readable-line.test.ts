import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { repositoryRoot } from '../../support/repository.js';

const script: { readableLine(line: string): string } = await import(
  pathToFileURL(join(repositoryRoot, 'scripts/readable-line.mjs')).href
);

describe('a line of the log in a terminal', () => {
  it('begins with time, level and message, and quotes what has spaces', () => {
    const line = JSON.stringify({
      level: 'warn',
      time: '2026-01-02T03:04:05.678Z',
      model: 'sentiment',
      pid: 7,
      reason: 'two words',
      details: { code: 'X' },
      msg: 'session lost',
    });
    assert.equal(
      script.readableLine(line),
      '03:04:05.678 warn  session lost model=sentiment pid=7 reason="two words" details={"code":"X"}',
    );
  });

  it('stays as it is where not valid JSON object', () => {
    for (const line of ['plain words', '{"level":', 'null', '5', '']) {
      assert.equal(script.readableLine(line), line);
    }
  });
});
