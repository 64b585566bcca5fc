import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { errorFields } from '../../../src/telemetry/error-fields.js';
import { createLogger, type Logger, type LogLevel } from '../../../src/telemetry/logger.js';

const call = {
  ...{ service: 'verdict.v1.ClassifierService', method: 'Classify', code: 'OK', requestId: 'r-1' },
  ...{ durationMs: 1.23456, peer: '10.0.0.9:4711', received: 1, sent: 1, cause: undefined },
};

/** The lines that a logger writes. */
async function linesOf(level: LogLevel, use: (log: Logger) => void): Promise<Record<string, unknown>[]> {
  const folder = mkdtempSync(join(tmpdir(), 'verdict-logger-'));
  const fd = openSync(join(folder, 'log'), 'w');
  try {
    const log = createLogger({ level, fd });
    use(log);
    await log.close();
    const lines = readFileSync(join(folder, 'log'), 'utf8').split('\n').filter(Boolean);
    return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  } finally {
    closeSync(fd);
    rmSync(folder, { recursive: true });
  }
}

describe('createLogger', () => {
  it('writes one JSON line with severity, time, message and fields', async () => {
    const [line] = await linesOf('info', (log) => log.warn({ model: 'sentiment' }, 'it is late'));
    assert.match(String(line?.time), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    assert.deepEqual({ ...line, time: 0 }, { level: 'warn', time: 0, model: 'sentiment', msg: 'it is late' });
  });

  it('writes the line of a call like any other', async () => {
    const fields = { request_id: 'r-1', service: call.service, method: 'Classify', code: 'OK' };
    const counts = { duration_ms: 1.235, peer: '10.0.0.9:4711', received: 1, sent: 1 };
    const lines = await linesOf('info', (log) => {
      log.call(call);
      log.info({ ...fields, ...counts }, 'call');
    });
    const [line, other] = lines.map((one) => Object.entries({ ...one, time: typeof one.time }));
    assert.equal(lines.length, 2);
    assert.deepEqual(line, other);
  });

  it('leaves out what is less severe than its level', async () => {
    const use = (log: Logger) => {
      log.debug({}, 'debug');
      log.info({}, 'info');
      log.warn({}, 'warn');
      log.error({}, 'error');
      log.call(call);
    };
    const messages = async (level: LogLevel) => (await linesOf(level, use)).map(({ msg }) => msg);
    assert.deepEqual(await messages('debug'), ['debug', 'info', 'warn', 'error', 'call']);
    assert.deepEqual(await messages('info'), ['info', 'warn', 'error', 'call']);
    assert.deepEqual(await messages('warn'), ['warn', 'error']);
    assert.deepEqual(await messages('silent'), []);
  });
});

describe('errorFields', () => {
  it('keeps type, message, stack, code and causes, and nothing that hangs on the error', () => {
    const cause = Object.assign(new TypeError('inner'), { code: 'E_INNER', input: 'what the caller wrote' });
    const fields = errorFields(new Error('outer', { cause }));
    assert.equal(fields.message, 'outer');
    assert.match(String(fields.stack), /logger\.test/);
    const inner = fields.cause as Record<string, unknown>;
    assert.deepEqual([inner.type, inner.message, inner.code], ['TypeError', 'inner', 'E_INNER']);
    assert.doesNotMatch(JSON.stringify(fields), /what the caller wrote/);
  });

  it('follows causes that form a ring, but not for ever', () => {
    const error = new Error('ring');
    error.cause = error;
    assert.ok(JSON.stringify(errorFields(error)).length > 0);
  });

  it('says no more than the type of what is no error', () => {
    assert.deepEqual(errorFields('a text of somebody'), { type: 'string' });
  });
});
