import type { PrecisionChoice } from '../bench-models.js';
import { FastApiServer } from '../reference/fastapi-server.js';
import type { Findings, Scenario, ScenarioContext } from '../scenario.js';
import { servedVersion } from '../served-version.js';
import { besideOnMixes } from './beside-mixes.js';

/** Verdict beside the FastAPI server that many teams run: same weights, texts, threads and client. */
export const fastapi: Scenario = {
  name: 'fastapi',
  summary:
    'Beside FastAPI + Transformers, 32 in flight, no cache: fp32 and precision auto, unary and stream.',
  bars: ['fastapi-fp32', 'fastapi-auto'],
  run,
};

/** FastAPI's way of asking is one request per text, so the bars are held against Verdict's unary calls. */
async function run(context: ScenarioContext): Promise<Findings> {
  const { models, processes, threads, baseline, signal } = context;
  models.require('fp32');
  const { name, directory } = models.get();
  const server = processes.add(
    await FastApiServer.start(
      { baselineFolder: baseline.folder, python: baseline.python, modelDirectory: directory, threads },
      signal,
    ),
  );
  const fp32 = await processes.server(models.get('fp32').serverSettings(threads));
  const auto = await processes.server(models.get('auto').serverSettings(threads));
  const verdict = (address: string, precision: PrecisionChoice) => [
    {
      title: `Verdict ${precision}, unary`,
      protocol: 'verdict-unary' as const,
      address,
      model: name,
      bar: precision === 'auto' ? ('fastapi-auto' as const) : ('fastapi-fp32' as const),
    },
    { title: `Verdict ${precision}, stream`, protocol: 'verdict-stream' as const, address, model: name },
  ];
  const findings = await besideOnMixes(context, 'Beside FastAPI + Transformers', [
    { title: 'FastAPI', protocol: 'fastapi', address: server.address, model: name },
    ...verdict(fp32.address, 'fp32'),
    ...verdict(auto.address, 'auto'),
  ]);
  const { precision } = await servedVersion(auto.address, name);
  const facts = { ...findings.facts, 'precision that auto chose': precision };
  return { ...findings, facts };
}
