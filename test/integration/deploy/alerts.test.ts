import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { settings } from '../../../src/config/settings.js';
import { at } from '../../support/json-value.js';
import { repositoryRoot } from '../../support/repository.js';
import { requireTool } from '../../support/tool.js';
import { itemsOf, textOf, yamlFile } from '../../support/yaml-file.js';

const folder = join(repositoryRoot, 'deploy/compose/prometheus');
const alerts = itemsOf(at(yamlFile('deploy/compose/prometheus/alerts.yaml'), 'groups'))
  .flatMap((group) => itemsOf(at(group, 'rules')))
  .filter((rule) => at(rule, 'alert') !== null);
const operations = readFileSync(join(repositoryRoot, 'docs/operations.md'), 'utf8');

/** The part of the page under a heading, up to the next one. */
function section(heading: string): string {
  return new RegExp(`^#+ ${heading}\\n([^#]*)`, 'm').exec(operations)?.[1]?.trim() ?? '';
}

describe('the alerts', () => {
  for (const args of [
    ['check', 'config', 'prometheus.yaml'],
    ['check', 'rules', 'alerts.yaml'],
    ['test', 'rules', 'alerts.test.yaml'],
  ]) {
    it(`pass promtool ${args.join(' ')}`, async (t) => {
      const promtool = await requireTool(t, 'promtool');
      if (promtool === undefined) return;
      const { status, stdout, stderr } = spawnSync(promtool, args, { cwd: folder, encoding: 'utf8' });
      assert.equal(status, 0, `${stdout}${stderr}`);
    });
  }

  for (const alert of alerts) {
    const name = textOf(at(alert, 'alert'));

    it(`${name} says how bad it is, what it is, and where to read what to do`, () => {
      assert.match(textOf(at(alert, 'labels', 'severity')), /^(critical|warning)$/);
      assert.ok(at(alert, 'annotations', 'summary'));
      assert.equal(at(alert, 'annotations', 'runbook'), `docs/operations.md#${name.toLowerCase()}`);
      assert.ok(section(name).length > 100, `docs/operations.md has something under ${name}`);
    });

    it(`${name} is shown to fire, and not to fire`, () => {
      const checks = itemsOf(at(yamlFile('deploy/compose/prometheus/alerts.test.yaml'), 'tests'))
        .flatMap((test) => itemsOf(at(test, 'alert_rule_test')))
        .filter((check) => at(check, 'alertname') === name)
        .map((check) => itemsOf(at(check, 'exp_alerts')).length > 0);
      assert.deepEqual(new Set(checks), new Set([false, true]));
    });
  }

  it('cover everything that docs/operations.md has a heading for', () => {
    const headings = [...operations.matchAll(/^#+ (Verdict\w+)$/gm)].map(([, heading]) => heading);
    assert.deepEqual(new Set(headings), new Set(alerts.map((alert) => at(alert, 'alert'))));
  });

  it('take the latency objective that the server has unless told otherwise', () => {
    const objective = settings.find(({ variable }) => variable === 'VERDICT_LATENCY_OBJECTIVE_MS');
    const rule = alerts.find((alert) => at(alert, 'alert') === 'VerdictLatencyOverObjective') ?? null;
    const threshold = / > ([\d.]+)\s*$/.exec(textOf(at(rule, 'expr')))?.[1];
    assert.equal(Number(threshold) * 1000, Number(objective?.defaultText));
  });
});
