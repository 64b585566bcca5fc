import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MetricsPage } from '../../../bench/metrics-page.js';

const page = new MetricsPage(`# HELP verdict_shed_total Inputs refused.
# TYPE verdict_shed_total counter
verdict_shed_total{model="a",reason="expired"} 3
verdict_shed_total{model="a",reason="queue_full"} 4
verdict_shed_total{model="b",reason="expired"} 5
verdict_shed_total_bytes 100
nodejs_eventloop_lag_p99_seconds 0.0012
`);

describe('a metrics page', () => {
  it('adds up the series that carry the labels', () => {
    assert.equal(page.value('verdict_shed_total'), 12);
    assert.equal(page.value('verdict_shed_total', { model: 'a' }), 7);
    assert.equal(page.value('verdict_shed_total', { model: 'b', reason: 'expired' }), 5);
  });

  it('reads a series without labels', () => {
    assert.equal(page.value('nodejs_eventloop_lag_p99_seconds'), 0.0012);
  });

  it('has 0 for what is not there', () => {
    assert.equal(page.value('verdict_shed'), 0);
  });
});
