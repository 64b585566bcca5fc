import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isVersionPolicy, versionPolicyIn } from '../../../src/config/version-policy.js';
import { wantedVersions } from '../../../src/models/version-policy.js';

const found = ['10', '9', '2'];
const nothing = new Set<string>();

describe('the versions that are wanted', () => {
  it('are the latest, all, or those of a list, the missing ones too', () => {
    assert.deepEqual(wantedVersions('latest', found, nothing), ['10']);
    assert.deepEqual(wantedVersions('all', found, nothing), found);
    assert.deepEqual(wantedVersions(['2', '11', '9'], found, nothing), ['11', '9', '2']);
  });

  it('are also those that requests are routed to, while they are there', () => {
    assert.deepEqual(wantedVersions('latest', found, new Set(['2', '7'])), ['10', '2']);
    assert.deepEqual(wantedVersions(['9'], found, new Set(['10'])), ['10', '9']);
  });
});

describe('the setting of versions', () => {
  it('holds for all models, or for those it names', () => {
    for (const [words, tone, mood] of [
      ['latest', 'latest', 'latest'],
      ['all', 'all', 'all'],
      ['tone=1,2', ['1', '2'], 'latest'],
      ['all;tone=latest', 'latest', 'all'],
      [' tone = 3 ; mood = all ', ['3'], 'all'],
      ['mood=latest;all', 'all', 'latest'],
    ] as const) {
      const policyOf = versionPolicyIn(words);
      assert.deepEqual([policyOf('tone'), policyOf('mood')], [tone, mood], words);
    }
  });

  it('is refused where it can be misread', () => {
    for (const words of [
      ...['', ';', 'newest', 'all;latest', 'all;', 'tone', 'tone=', 'tone=0', 'tone=01', 'tone=1;2'],
      ...['tone=1,', 'tone=1, 2', 'tone=1;tone=2', 'tone=1=2', 'Tone=1', '=1', 'tone:1', 'tone=v1'],
    ]) {
      assert.equal(isVersionPolicy(words), false, words);
      assert.throws(() => versionPolicyIn(words), words);
    }
  });
});
