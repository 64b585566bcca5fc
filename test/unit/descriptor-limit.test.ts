import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { descriptorLimit, loadingTrouble, roomForConnections } from '../../src/descriptor-limit.js';

describe('the limit of open files', () => {
  it('is what the system says', () => {
    assert.ok(descriptorLimit() > 0);
    assert.equal(loadingTrouble(), undefined);
  });

  it('that is too low to load the program is a sentence', () => {
    assert.match(
      loadingTrouble(64) ?? '',
      /^this process may open 64 files \(ulimit -n\), and needs 160 to start/,
    );
    assert.equal(loadingTrouble(160), undefined);
    assert.equal(loadingTrouble(Number.POSITIVE_INFINITY), undefined);
  });

  it('leaves room for callers beside sessions, threads and the admin port, or stops the start', () => {
    const use = { tokenizerThreads: 1, sessions: 2, reloadSessions: 1 };
    const room = roomForConnections(use, 1024);
    assert.equal(roomForConnections({ ...use, sessions: 12 }, 1024), room - 30);
    assert.equal(roomForConnections({ ...use, reloadSessions: 3 }, 1024), room - 6);
    assert.equal(roomForConnections(use, 2048), room + 1024);
    assert.throws(
      () => roomForConnections({ ...use, sessions: 300 }, 1024),
      /needs at least 1050: for 300 sessions and 1 more during a reload,/,
    );
  });
});
