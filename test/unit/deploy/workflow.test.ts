import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { parse } from 'yaml';

interface Step {
  readonly id?: string;
  readonly if?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, string | boolean>>;
}

interface Job {
  readonly needs?: string | readonly string[];
  readonly 'runs-on': string;
  readonly 'timeout-minutes': number;
  readonly strategy?: {
    readonly matrix: {
      readonly node?: readonly string[];
      readonly include?: readonly Readonly<Record<string, string>>[];
    };
  };
  readonly steps: readonly Step[];
}

const read = (path: string) => readFileSync(path, 'utf8');
const jobsOf = (file: string): Readonly<Record<string, Job>> => parse(read(`.github/workflows/${file}`)).jobs;
const commands = ({ steps }: Job) => steps.flatMap(({ run }) => (run === undefined ? [] : [run]));
/** Where the first step of a job is whose action or command matches. */
const placeOf = (pattern: RegExp, { steps }: Job) =>
  steps.findIndex(({ uses = '', run = '' }) => pattern.test(uses) || pattern.test(run));

const ci = jobsOf('ci.yml');
const release = jobsOf('release.yml');
const dockerfile = read('Dockerfile');
const job = (name: string): Job => release[name] ?? assert.fail(`release.yml has no job ${name}`);

for (const [file, jobs] of Object.entries({ 'ci.yml': ci, 'release.yml': release })) {
  describe(`the workflow ${file}`, () => {
    it('bounds every job, and pins every action to a major version or a commit', () => {
      for (const [name, { steps, ...rest }] of Object.entries(jobs)) {
        assert.ok(rest['timeout-minutes'] > 0 && rest['timeout-minutes'] <= 60, name);
        for (const { uses } of steps) {
          if (uses === undefined) continue;
          assert.match(uses, /^(actions|docker|pypa|sigstore)\/[\w-]+@((release\/)?v\d+|[0-9a-f]{40})$/);
        }
      }
    });

    it('gives .ci/run the time that it takes, and the compilers that it demands', () => {
      const java = /<maven\.compiler\.release>(\d+)</.exec(read('examples/java/pom.xml'))?.[1];
      const testing = Object.entries(jobs).filter(([, one]) => commands(one).includes('bash .ci/run'));
      assert.equal(testing.length, 1);
      for (const [name, one] of testing) {
        assert.ok(one['timeout-minutes'] >= 45, name);
        const tests = placeOf(/\.ci\/run/, one);
        for (const compiler of [/setup-go@/, /setup-java@/, /^rustup toolchain install/]) {
          const place = placeOf(compiler, one);
          assert.ok(place >= 0 && place < tests, `${name}: ${compiler}`);
        }
        assert.equal(one.steps[placeOf(/setup-java@/, one)]?.with?.['java-version'], java);
      }
    });

    it('names files, build targets, services and models that exist', () => {
      const compose = read('deploy/compose/compose.yaml');
      const all = Object.values(jobs).flatMap(commands).join('\n');
      const named = (pattern: RegExp) => [...all.matchAll(pattern)].map(([, name = '']) => name);
      const built = Object.values(jobs).flatMap(({ steps }) => steps.map((step) => step.with?.target));
      const targets = [...named(/--target (\S+)/g), ...built.filter((target) => target !== undefined)];
      for (const target of targets) assert.match(dockerfile, new RegExp(`^FROM .* AS ${target}$`, 'm'));
      for (const path of [...named(/-f (\S+)/g), ...named(/node ((?:bin|scripts)\/\S+)/g)])
        assert.ok(existsSync(path), path);
      for (const service of named(/exec -T (\S+)/g))
        assert.match(compose, new RegExp(`^ {2}${service}:$`, 'm'));
      for (const model of named(/\/v1\/models\/([\w-]+):/g)) assert.ok(existsSync(`models/${model}`), model);
      assert.ok(targets.length > 0);
    });
  });
}

describe('the versions of Node.js in ci.yml', () => {
  it('hold the oldest that is supported and that of the image', () => {
    const { engines } = JSON.parse(read('package.json'));
    const versions = ci.test?.strategy?.matrix.node ?? [];
    assert.ok(versions.includes(String(engines.node).replace('>=', '')));
    assert.ok(versions.includes(read('.nvmrc').trim()));
    assert.equal(commands(ci.test ?? assert.fail()).at(-1), 'bash .ci/run');
  });
});

describe('a release', () => {
  const image = job('image');
  const index = job('image-index');

  it('builds each image on its own architecture, with an SBOM and provenance, under no tag', () => {
    const runners = image.strategy?.matrix.include?.map(({ arch, runner }) => [arch, runner]);
    assert.deepEqual(runners, [
      ['amd64', 'ubuntu-24.04'],
      ['arm64', 'ubuntu-24.04-arm'],
    ]);
    // biome-ignore lint/suspicious/noTemplateCurlyInString: an expression of GitHub's
    const [runner, platform] = ['${{ matrix.runner }}', 'linux/${{ matrix.arch }}'];
    assert.equal(image['runs-on'], runner);
    const build = image.steps[placeOf(/build-push-action@/, image)]?.with;
    assert.equal(build?.platforms, platform);
    assert.match(String(build?.outputs), /push-by-digest=true,name-canonical=true,push=true$/);
    assert.deepEqual([build?.sbom, build?.provenance, build?.tags], [true, 'mode=max', undefined]);
    assert.ok(!Object.values(release).some((one) => placeOf(/setup-qemu/, one) >= 0));
  });

  it('tags no image before each has classified a text on its own architecture', () => {
    const pushed = placeOf(/build-push-action@/, image);
    const asked = placeOf(/docker run .*"\$IMAGE@\$DIGEST".*verdict\.js classify/s, image);
    assert.ok(pushed >= 0 && pushed < asked);
    assert.deepEqual(index.needs, ['check', 'image']);
    const tagging = Object.keys(release).filter((name) => placeOf(/--tag "\$IMAGE/, job(name)) >= 0);
    assert.deepEqual(tagging, ['image-index']);
  });

  it('moves `latest` last, to what is signed, and only for the highest version', () => {
    const [signed, moved] = [placeOf(/cosign sign/, index), placeOf(/--tag "\$IMAGE:latest"/, index)];
    assert.ok(signed >= 0 && signed < moved);
    assert.equal(index.steps[moved]?.if, "needs.check.outputs.newest == 'true'");
    assert.match(commands(job('npm')).join('\n'), /npm publish --provenance --tag "\$DIST_TAG"/);
  });

  it('looks at the version of npm before it publishes', () => {
    const [checked, published] = [
      placeOf(/11\.5\.1.*npm --version/, job('npm')),
      placeOf(/npm publish/, job('npm')),
    ];
    assert.ok(checked >= 0 && checked < published);
  });

  it('publishes the packages whose names docs/release.md takes first', () => {
    const names = (text: string) => /for name in (.+); do/.exec(text)?.[1];
    const published = names(commands(job('npm')).join('\n'));
    assert.ok(published !== undefined);
    assert.equal(names(read('docs/release.md')), published);
  });

  it('publishes no image for GPUs: who needs one is told how to build it', () => {
    const targets = Object.values(release).flatMap(({ steps }) => steps.map((step) => step.with?.target));
    assert.deepEqual([...new Set(targets.filter((target) => target !== undefined))], ['cpu']);
    const command = /docker build --target cuda .*\.$/m.exec(read('docs/gpu.md'))?.[0] ?? assert.fail();
    for (const page of ['scripts/packages/server-readme.md', 'docs/adr/0029-packages.md', 'docs/release.md'])
      assert.ok(read(page).includes(`\`${command}\``), page);
  });
});
