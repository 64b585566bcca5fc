import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Progress } from '../../../bench/progress.js';
import { TextSink } from './text-sink.js';

describe('the progress of the bench', () => {
  it('is plain lines where nobody watches', () => {
    const sink = new TextSink();
    const progress = new Progress(sink);
    progress.start('policies');
    progress.expect(2);
    progress.advance('round 1/2');
    progress.note('tuning');
    progress.stop();
    assert.equal(sink.text, '\n# policies\nround 1/2\ntuning\n');
  });

  it('is a bar on a terminal', () => {
    const sink = new TextSink(true);
    const progress = new Progress(sink);
    progress.start('policies');
    progress.expect(4);
    progress.advance('round 1/4');
    progress.stop();
    assert.match(sink.text, /1\/4 \| round 1\/4/);
  });

  it('starts each scenario at nothing', () => {
    const sink = new TextSink(true);
    const progress = new Progress(sink);
    progress.start('policies');
    progress.expect(4);
    progress.advance('round 1/4');
    progress.start('startup');
    progress.expect(3);
    progress.stop();
    assert.match(sink.text, /0\/3/);
  });
});
