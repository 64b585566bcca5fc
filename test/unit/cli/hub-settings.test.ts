import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { hubSettings } from '../../../src/cli/hub-settings.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const settingsFor = (variables: Readonly<Record<string, string>>) => hubSettings((name) => variables[name]);

test('The Hub is reached as by its own clients: with their variables, in their cache', () => {
  assert.deepEqual(settingsFor({ HF_HUB_DISABLE_IMPLICIT_TOKEN: '1' }), {
    endpoint: 'https://huggingface.co',
    token: undefined,
    cacheDir: join(homedir(), '.cache/huggingface/hub'),
    offline: false,
  });
  const all = {
    HF_ENDPOINT: 'https://mirror.example',
    HF_TOKEN: 'hf_a',
    HF_HUB_CACHE: '/cache',
    HUGGINGFACE_HUB_CACHE: '/old',
    HF_HUB_OFFLINE: 'yes',
  };
  const expected = { endpoint: 'https://mirror.example', token: 'hf_a', cacheDir: '/cache', offline: true };
  assert.deepEqual(settingsFor(all), expected);
  assert.equal(settingsFor({ XDG_CACHE_HOME: '/x' }).cacheDir, '/x/huggingface/hub');
  assert.equal(settingsFor({ XDG_CACHE_HOME: '/x', HF_HOME: '/home' }).cacheDir, '/home/hub');
  assert.equal(settingsFor({ HF_HUB_OFFLINE: '0' }).offline, false);
});

test('A token that was saved counts where the environment names none, and implicit ones are allowed', (t) => {
  const home = temporaryFolder(t);
  writeFileSync(join(home, 'token'), 'hf_saved\n');
  writeFileSync(join(home, 'other'), 'hf_other');
  assert.equal(settingsFor({ HF_HOME: home }).token, 'hf_saved');
  assert.equal(settingsFor({ HF_HOME: home, HF_TOKEN: 'hf_given' }).token, 'hf_given');
  assert.equal(settingsFor({ HF_HOME: home, HF_TOKEN_PATH: join(home, 'other') }).token, 'hf_other');
  assert.equal(settingsFor({ HF_HOME: home, HF_HUB_DISABLE_IMPLICIT_TOKEN: 'TRUE' }).token, undefined);
});
