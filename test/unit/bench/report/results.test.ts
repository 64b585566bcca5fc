import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { barIds, bars } from '../../../../bench/bars.js';
import { describeMachine } from '../../../../bench/machine.js';
import type { Chart } from '../../../../bench/report/chart.js';
import { judge } from '../../../../bench/report/judge.js';
import { markdownTable, resultMarkdown } from '../../../../bench/report/markdown.js';
import { publish } from '../../../../bench/report/publish.js';
import { publishedPage, publishedPageFiles } from '../../../../bench/report/published-page.js';
import type { RanResult } from '../../../../bench/report/result.js';
import { withBars, withScenarios } from '../../../../bench/report/results-page.js';
import { scenarios } from '../../../../bench/scenarios.js';
import { repositoryRoot } from '../../../support/repository.js';

const docs = join(repositoryRoot, 'docs');
const page = readFileSync(join(docs, 'benchmarks.md'), 'utf8');
const details = readFileSync(join(docs, 'benchmarks/results.md'), 'utf8');
const order = scenarios.map(({ name }) => name);

const result: RanResult = {
  scenario: 'saturated-stream',
  summary: 'A stream against the ceiling.',
  bars: ['stream-256-tight', 'stream-256-wide'],
  command: 'npm run bench -- saturated-stream',
  date: '2026-11-22T10:00:00.000Z',
  machine: describeMachine(),
  status: 'ran',
  settings: { model: 'base', rounds: 3, texts: 512, threads: 2, short: false },
  inputs: 'SST-2',
  disturbance: { takenBefore: 0.02, othersShare: 0, stealShare: 0 },
  warnings: [],
  measurements: [
    judge(
      { name: 'served / ceiling', unit: 'x', values: [0.96, 0.97, 0.99], bar: 'stream-256-tight' },
      'base',
    ),
    judge({ name: 'p50', unit: 'ms', values: [12, 13, 14] }, 'base'),
  ],
  facts: { budget: 512 },
  rounds: [{ ratio: 0.96 }],
  charts: ['saturated-stream.svg'],
};

describe('the results page', () => {
  it('in the repository is what the published results say', () => {
    for (const file of publishedPageFiles) {
      const written = readFileSync(join(docs, file), 'utf8');
      assert.equal(written, publishedPage(docs, file, order), "run 'node scripts/docs.mjs' after a build");
    }
  });

  it('has a row for every bar, measured or not', () => {
    const written = withBars(page, [result]);
    for (const id of barIds) assert.ok(written.includes(`| ${bars[id].title} |`), id);
    assert.match(written, /\| at least 0\.95 x \| 0\.970 x \| yes \| 0\.965 to 0\.980, 3 rounds \|/);
    assert.match(written, /\| not measured yet \|/);
  });

  it('has a row for each measurement of a bar, so that a good one hides no bad one', () => {
    const [first] = result.measurements;
    assert.ok(first !== undefined);
    const wide = { name: 'wide mix', unit: 'x', values: [0.8, 0.8, 0.8], bar: 'stream-256-tight' } as const;
    const written = withBars(page, [{ ...result, measurements: [first, judge(wide, 'base')] }]);
    const { title } = bars['stream-256-tight'];
    assert.ok(written.includes(`| ${title} (${first.name}) | at least 0.95 x | 0.970 x | yes |`));
    assert.ok(written.includes(`| ${title} (wide mix) | at least 0.95 x | 0.800 x | no, by 15.8 % |`));
  });

  it('says of a bar whose scenario ran without it that it does not hold there', () => {
    assert.match(withBars(page, [result]), /256 in flight, fp32, wide mix: .* does not hold on this machine/);
  });

  it('shows charts, other numbers, the command and the way to every round', () => {
    const written = withScenarios(details, [result]);
    assert.match(written, /!\[saturated-stream\]\(saturated-stream\.svg\)/);
    assert.match(written, /\| p50 \| 13\.0 ms \|/);
    assert.match(written, /`npm run bench -- saturated-stream`, 2026-11-22/);
    assert.match(written, /\(saturated-stream\.json\)/);
  });

  it('says what the machine did before the start, as the file has it', () => {
    assert.match(withScenarios(details, [result]), /- just before the start others took 2\.0 % of the CPU; /);
    const earlier = { ...result, disturbance: { loadBefore: 0.25, othersShare: 0, stealShare: 0 } };
    assert.match(withScenarios(details, [earlier]), /- load before the start 0\.25 per core; /);
  });

  it('marks what a noisy machine measured', () => {
    const noisy = { ...result, warnings: ['other processes took 34 % of the CPU'] };
    assert.match(withBars(page, [noisy]), /\| yes \(noisy machine\) \|/);
    assert.match(withScenarios(details, [noisy]), /too noisy to trust this:\*\* other processes took 34 %/);
  });

  it('leaves what is around the markers, and writes the same twice', () => {
    const once = withBars(page, [result]);
    assert.equal(withBars(once, [result]), once);
    assert.equal(once.slice(0, once.indexOf('<!--')), page.slice(0, page.indexOf('<!--')));
    assert.throws(() => withBars('no markers', [result]), /no markers/);
  });
});

describe('publishing', () => {
  const folder = mkdtempSync(join(tmpdir(), 'verdict-docs-'));
  after(() => rmSync(folder, { recursive: true }));

  it('keeps the JSON and the chart beside the page, and the page in step with all that is published', () => {
    writeFileSync(join(folder, 'benchmarks.md'), page);
    mkdirSync(join(folder, 'benchmarks'));
    writeFileSync(join(folder, 'benchmarks/results.md'), details);
    const series = [{ name: 's', values: [1] }];
    const axes = { valueAxis: 'x', categories: ['a'], series };
    const chart: Chart = { kind: 'bars', name: '', title: 'A', subtitle: '', ...axes };
    publish(folder, { ...result, scenario: 'startup', bars: [], charts: ['startup.svg'] }, [chart], order);
    publish(folder, result, [chart], order);
    const written = readFileSync(join(folder, 'benchmarks/results.md'), 'utf8');
    for (const file of publishedPageFiles) {
      assert.equal(readFileSync(join(folder, file), 'utf8'), publishedPage(folder, file, order));
    }
    assert.ok(written.indexOf('### saturated-stream') < written.indexOf('### startup'));
    const kept = JSON.parse(readFileSync(join(folder, 'benchmarks/saturated-stream.json'), 'utf8'));
    assert.deepEqual(kept, JSON.parse(JSON.stringify(result)));
    assert.match(readFileSync(join(folder, 'benchmarks/saturated-stream.svg'), 'utf8'), /^<svg /);
  });
});

describe('the report on the terminal', () => {
  it('is a Markdown table with medians, quartiles and verdicts, then what is noisy', () => {
    const text = resultMarkdown({ ...result, warnings: ['other processes took 34 % of the CPU'] });
    assert.match(text, /\| served \/ ceiling \| 0\.970 x \| 0\.965 to 0\.980 \| at least 0\.95 x \| yes \|/);
    assert.match(text, /\| p50 \| 13\.0 ms \| 12\.5 to 13\.5 \| - \| - \|/);
    assert.match(text, /- budget: 512/);
    assert.match(text, /\*\*Noisy machine:\*\* other processes/);
  });

  it('escapes bars in cells', () => {
    assert.equal(markdownTable(['a'], [['x | y']]), '| a |\n| --- |\n| x \\| y |');
  });
});
