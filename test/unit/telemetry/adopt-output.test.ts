import assert from 'node:assert/strict';
import { Console } from 'node:console';
import { EventEmitter } from 'node:events';
import { Writable } from 'node:stream';
import { describe, it } from 'node:test';
import { adoptOutput, type OutputSource } from '../../../src/telemetry/adopt-output.js';
import type { Log, LogFields } from '../../../src/telemetry/types.js';

function subject() {
  const written: string[] = [];
  const lines: LogFields[] = [];
  const stream = (name: string) =>
    new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        written.push(`${name}: ${chunk.toString()}`);
        done();
      },
    });
  const clock = { ms: 0 };
  const process = Object.assign(new EventEmitter(), { stdout: stream('stdout'), stderr: stream('stderr') });
  const printed: string[] = [];
  process.on('warning', (warning: Error) => printed.push(warning.message));
  const ignored = (): void => {};
  const log: Log = {
    ...{ debug: ignored, info: ignored, error: ignored, call: ignored },
    warn: (fields, message) => {
      assert.equal(message, 'output of a library');
      lines.push(fields);
    },
  };
  const release = adoptOutput(log, process as unknown as OutputSource, () => clock.ms);
  const { stdout, stderr } = process;
  return { process, printed, written, lines, clock, release, console: new Console({ stdout, stderr }) };
}

describe('what others write', () => {
  it('becomes log lines, whichever way it comes', async () => {
    const { process, written, lines, clock, console } = subject();
    const each = (...ways: (() => unknown)[]): void => {
      for (const way of ways) {
        clock.ms += 100;
        way();
      }
    };
    each(
      () => console.log('to %s', 'stdout'),
      () => console.warn('to stderr'),
      () => process.stderr.write(Buffer.from('bytes\n')),
    );
    clock.ms += 100;
    await new Promise<void>((resolve) => {
      process.stdout.write('with a callback\n', 'utf8', () => resolve());
    });
    assert.deepEqual(lines, [
      { from: 'stdout', text: 'to stdout', suppressed: 0 },
      { from: 'stderr', text: 'to stderr', suppressed: 0 },
      { from: 'stderr', text: 'bytes', suppressed: 0 },
      { from: 'stdout', text: 'with a callback', suppressed: 0 },
    ]);
    assert.deepEqual(written, []);
  });

  it('is bounded in length and in number', () => {
    const { lines, clock, console } = subject();
    for (let line = 0; line < 500; line += 1) console.error('x'.repeat(100_000));
    console.error('');
    assert.equal(lines.length, 1);
    assert.equal(String(lines[0]?.text).length, 1000);
    clock.ms += 100;
    console.error('later');
    assert.deepEqual(lines[1], { from: 'stderr', text: 'later', suppressed: 499 });
  });

  it('goes where it went before, once released', () => {
    const { process, written, printed, lines, release, console } = subject();
    release();
    console.log('out');
    console.error('err');
    process.emit('warning', new Error('beware'));
    assert.deepEqual(written, ['stdout: out\n', 'stderr: err\n']);
    assert.deepEqual(printed, ['beware']);
    assert.deepEqual(lines, []);
  });
});

describe('a warning of Node', () => {
  it('becomes a log line with its place, and is not printed', () => {
    const { process, lines, printed, written } = subject();
    process.emit('warning', new RangeError('11 listeners'));
    assert.deepEqual(printed, []);
    assert.deepEqual(written, []);
    assert.equal(lines[0]?.from, 'warning');
    assert.match(String(lines[0]?.text), /^RangeError: 11 listeners\n\s+at /);
  });
});
