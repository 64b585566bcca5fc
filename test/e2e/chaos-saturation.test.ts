import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ServedModels } from '../support/served-models.js';

describe('a server that streams keep as busy as it can be', () => {
  it('answers health checks, probes and scrapes all along, and tells the delay of its event loop', async (t) => {
    const served = await ServedModels.start(t, ['topics', 'pairs']);
    const client = served.client();
    const prober = served.client();
    let sent = 0;
    let stopped = false;
    const source = function* () {
      while (!stopped) yield `the coach of team ${sent++}`;
    };
    const streams = Array.from({ length: 4 }, async () => {
      let ok = 0;
      for await (const result of client.classifyStream(source())) ok += Number(result.ok);
      return ok;
    });
    try {
      for (let i = 0; i < 50; i++) {
        assert.equal(await prober.health(), 'serving');
        assert.equal(await prober.health('models/topics'), 'serving');
        assert.equal((await fetch(`${served.server.adminUrl}/readyz`)).status, 200);
        assert.ok((await served.server.metric('nodejs_eventloop_lag_p99_seconds')) > 0);
      }
      assert.ok((await served.server.metric('verdict_utilization_ratio', { model: 'topics' })) > 0);
      assert.equal(await served.server.metric('verdict_streams_in_flight'), 4);
    } finally {
      stopped = true;
    }
    const answered = (await Promise.all(streams)).reduce((sum, ok) => sum + ok, 0);
    assert.equal(answered, sent);
    assert.equal(await served.server.metric('inference_requests_total', { model: 'topics' }), sent);
    await served.untilQuiet();
  });
});
