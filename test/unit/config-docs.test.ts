import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { settingsHelp } from '../../src/config/help.js';
import { settings } from '../../src/config/settings.js';

describe('the help', () => {
  it('holds every flag and every variable, within 100 columns', () => {
    const help = settingsHelp();
    for (const { flag, variable } of settings) {
      assert.match(help, new RegExp(`^  ${flag} <\\w+> .*\\[${variable}[\\],]`, 'm'));
    }
    for (const line of help.split('\n')) assert.ok(line.length <= 100, line);
  });

  it('has each name and each path once', () => {
    for (const names of [settings.map((setting) => setting.flag), settings.map((setting) => setting.path)]) {
      assert.equal(new Set(names).size, names.length);
    }
  });
});

describe('the documentation', () => {
  it('of settings and metrics is what the code generates', () => {
    const script = fileURLToPath(new URL('../../../scripts/docs.mjs', import.meta.url));
    const { status, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
  });
});
