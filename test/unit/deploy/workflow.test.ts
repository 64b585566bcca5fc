import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { parse } from 'yaml';

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, string>>;
}

interface Job {
  readonly 'timeout-minutes': number;
  readonly strategy?: { readonly matrix: { readonly node: readonly string[] } };
  readonly steps: readonly Step[];
}

const workflow: { readonly jobs: Readonly<Record<string, Job>> } = parse(
  readFileSync('.github/workflows/ci.yml', 'utf8'),
);
const commands = (job: Job) => job.steps.flatMap(({ run }) => (run === undefined ? [] : [run]));

describe('the workflow for GitHub', () => {
  it('bounds every job, and pins every action to a major version', () => {
    for (const [name, job] of Object.entries(workflow.jobs)) {
      assert.ok(job['timeout-minutes'] > 0 && job['timeout-minutes'] <= 60, name);
      for (const { uses } of job.steps) if (uses !== undefined) assert.match(uses, /^actions\/[\w-]+@v\d+$/);
    }
  });

  it('tests on the oldest Node.js that is supported and on that of the image', () => {
    const { engines } = JSON.parse(readFileSync('package.json', 'utf8'));
    const versions = workflow.jobs.test?.strategy?.matrix.node ?? [];
    assert.ok(versions.includes(String(engines.node).replace('>=', '')));
    assert.ok(versions.includes(readFileSync('.nvmrc', 'utf8').trim()));
    assert.deepEqual(commands(workflow.jobs.test ?? assert.fail()), ['bash .ci/run']);
  });

  it('names files, build targets, services and models that exist', () => {
    const dockerfile = readFileSync('Dockerfile', 'utf8');
    const compose = readFileSync('deploy/compose/compose.yaml', 'utf8');
    const all = Object.values(workflow.jobs).flatMap(commands).join('\n');
    const named = (pattern: RegExp) => [...all.matchAll(pattern)].map(([, name = '']) => name);
    for (const target of named(/--target (\S+)/g)) {
      assert.match(dockerfile, new RegExp(`^FROM .* AS ${target}$`, 'm'));
    }
    for (const file of [...named(/-f (\S+)/g), ...named(/node (bin\/\S+)/g)])
      assert.ok(existsSync(file), file);
    for (const service of named(/exec -T (\S+)/g))
      assert.match(compose, new RegExp(`^ {2}${service}:$`, 'm'));
    for (const model of named(/\/v1\/models\/([\w-]+):/g)) assert.ok(existsSync(`models/${model}`), model);
    assert.ok(named(/--target (\S+)/g).length > 0 && named(/exec -T (\S+)/g).length > 0);
  });
});
