import { type Findings, type Scenario, type ScenarioContext, ScenarioSkipped } from '../scenario.js';
import { besideOnMixes } from './beside-mixes.js';

const HTTP = 'http://';

/** Verdict beside a running server that speaks the Open Inference Protocol: Triton, MLServer, KServe. */
export const openInference: Scenario = {
  name: 'open-inference',
  summary: 'Beside a server that speaks the Open Inference Protocol, at --oip, 32 in flight.',
  bars: [],
  run,
};

async function run(context: ScenarioContext): Promise<Findings> {
  const { models, processes, threads, peers } = context;
  const { oip, oipInput } = peers;
  if (oip === '') throw new ScenarioSkipped('no server to measure beside: give its address with --oip');
  const model = models.get();
  const server = await processes.server(model.serverSettings(threads));
  const { name, precision } = model;
  const verdict = { address: server.address, model: name };
  const overHttp = oip.startsWith(HTTP);
  const findings = await besideOnMixes(context, 'Beside a server that speaks the Open Inference Protocol', [
    {
      title: overHttp ? 'Open Inference, HTTP' : 'Open Inference, gRPC',
      protocol: overHttp ? 'oip-http' : 'oip-grpc',
      address: overHttp ? new URL(oip).host : oip,
      model: peers.oipModel === '' ? name : peers.oipModel,
      input: oipInput,
    },
    { ...verdict, title: `Verdict ${precision}, unary`, protocol: 'verdict-unary' },
    { ...verdict, title: `Verdict ${precision}, stream`, protocol: 'verdict-stream' },
  ]);
  return { ...findings, facts: { ...findings.facts, 'Open Inference server': oip } };
}
