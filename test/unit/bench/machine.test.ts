import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { describeMachine, int8Instructions } from '../../../bench/machine.js';
import { barFor } from '../../../bench/scenarios/precision.js';

describe('the machine', () => {
  it('names the instruction sets for int8', () => {
    const info = 'processor : 0\nflags\t\t: fpu avx2 avx512_vnni amx_tile amx_int8\nbugs :\n';
    assert.deepEqual(int8Instructions(info), ['avx2', 'avx512_vnni', 'amx_int8']);
    assert.deepEqual(int8Instructions(''), []);
  });

  it('decides which bar int8 is held against', () => {
    assert.equal(barFor(['avx2', 'avx512_vnni', 'amx_int8']), 'int8-amx');
    assert.equal(barFor(['avx2', 'avx512_vnni']), 'int8-vnni');
    assert.equal(barFor(['avx_vnni']), 'int8-vnni');
    assert.equal(barFor(['avx2']), undefined);
  });

  it('tells the versions that numbers depend on', () => {
    const { node, cores, packages } = describeMachine();
    assert.equal(node, process.version);
    assert.ok(cores >= 1);
    assert.match(packages['onnxruntime-node'] ?? '', /^\d+\./);
  });
});
