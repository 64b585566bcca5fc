import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { repositoryRoot } from '../../support/repository.js';
import { requireTool } from '../../support/tool.js';

interface Stage {
  readonly name: string;
  readonly base: string;
  readonly steps: readonly { readonly keyword: string; readonly script?: string }[];
  readonly labels: Readonly<Record<string, string>>;
  readonly user?: string;
}

const path = join(repositoryRoot, 'Dockerfile');
const text = readFileSync(path, 'utf8');
const { readDockerfile }: { readDockerfile: (text: string) => Stage[] } = await import(
  pathToFileURL(join(repositoryRoot, 'scripts/docker/read-dockerfile.mjs')).href
);

describe('the Dockerfile', () => {
  it('has nothing that hadolint warns of', async (t) => {
    const hadolint = await requireTool(t, 'hadolint');
    if (hadolint === undefined) return;
    const { status, stdout } = spawnSync(hadolint, ['--no-color', path], { encoding: 'utf8' });
    assert.deepEqual([status, stdout], [0, '']);
  });

  it('makes the CPU image where no target is named', () => {
    assert.equal(readDockerfile(text).at(-1)?.name, 'cpu');
  });

  it('starts from base images of one version each', () => {
    const stages = readDockerfile(text);
    const names = new Set(stages.map(({ name }) => name));
    const images = new Set(stages.map(({ base }) => base).filter((base) => !names.has(base)));
    assert.equal(images.size, 2);
    for (const image of images) assert.match(image, /:\d+\.\d+\.\d+-/);
  });

  it('runs both images as a user who is told not to be root by its number, the one of the compose stack', () => {
    const stages = readDockerfile(text);
    const userOf = (name: string): string | undefined => {
      const stage = stages.find((one) => one.name === name);
      return stage === undefined ? undefined : (stage.user ?? userOf(stage.base));
    };
    const compose = readFileSync(join(repositoryRoot, 'deploy/compose/compose.yaml'), 'utf8');
    for (const name of ['cpu', 'cuda']) {
      assert.match(userOf(name) ?? '', /^[1-9]\d*:[1-9]\d*$/, name);
      assert.ok(compose.includes(`user: "${userOf(name)}"`), name);
    }
  });

  it('labels both images for whoever has to list what they hold', () => {
    for (const { name, labels } of readDockerfile(text).filter(({ name }) => /^(cpu|cuda)$/.test(name))) {
      for (const key of ['title', 'description', 'licenses', 'version', 'revision', 'source', 'created'])
        assert.ok(labels[`org.opencontainers.image.${key}`], `${name}: ${key}`);
    }
  });

  it('fetches the CUDA provider and checks its libraries, each in a step of its own', () => {
    const scripts = readDockerfile(text).flatMap(({ steps }) => steps.map(({ script }) => script ?? ''));
    assert.ok(scripts.some((script) => script.includes('onnxruntime-node/script/install.js')));
    assert.ok(scripts.some((script) => script.includes('check-cuda-libraries.mjs')));
  });

  it('is made for the CUDA version that its labels, its base image and its provider share', () => {
    const cuda = /^ARG CUDA_IMAGE=nvidia\/cuda:(\d+)\./m.exec(text)?.[1];
    assert.equal(/NVIDIA_REQUIRE_CUDA="cuda>=(\d+)\.0"/.exec(text)?.[1], cuda);
    assert.equal(/libcudart\.so\.(\d+)/.exec(text)?.[1], cuda);
  });
});

describe('whoever runs its steps', () => {
  it('refuses what it could only leave out', () => {
    for (const [line, reason] of [
      ['ADD https://example.com/x /x', /ADD is not known here/],
      ['RUN --mount=type=secret,id=x cat /run/secrets/x', /RUN --mount=.*no flag/],
      ['COPY --chown=node a b', /COPY --chown=node: no flag/],
      ['ENTRYPOINT node main.js', /exec form/],
    ] as const) {
      assert.throws(() => readDockerfile(`FROM node:22.0.0-slim AS build\n${line}\n`), reason);
    }
    assert.throws(() => readDockerfile('FROM node:22.0.0-slim\n'), /every FROM needs a name/);
  });
});
