import { type Findings, type Scenario, type ScenarioContext, ScenarioSkipped } from '../scenario.js';
import { besideOnMixes } from './beside-mixes.js';

/** Verdict beside a running server that speaks text-embeddings-inference's gRPC. */
export const tei: Scenario = {
  name: 'tei',
  summary: "Beside a server that speaks text-embeddings-inference's Predict, at --tei, 32 in flight.",
  bars: [],
  run,
};

async function run(context: ScenarioContext): Promise<Findings> {
  const { models, processes, threads, peers } = context;
  if (peers.tei === '') throw new ScenarioSkipped('no server to measure beside: give its address with --tei');
  const model = models.get();
  const server = await processes.server(model.serverSettings(threads));
  const { name, precision } = model;
  const peer = { address: peers.tei, model: name };
  const verdict = { address: server.address, model: name };
  const findings = await besideOnMixes(context, 'Beside a server that speaks TEI', [
    { ...peer, title: 'TEI Predict', protocol: 'tei-unary' },
    { ...peer, title: 'TEI PredictStream', protocol: 'tei-stream' },
    { ...verdict, title: `Verdict ${precision}, unary`, protocol: 'verdict-unary' },
    { ...verdict, title: `Verdict ${precision}, stream`, protocol: 'verdict-stream' },
  ]);
  return { ...findings, facts: { ...findings.facts, 'TEI server': peers.tei } };
}
