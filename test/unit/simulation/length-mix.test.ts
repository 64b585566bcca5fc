import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { drawLengths as drawSpread } from '../../../bench/inputs/length-mix.js';
import { drawLengths, tightMix, wideMix } from '../../../src/simulation/length-mix.js';
import { seededRandom } from '../../../src/simulation/random.js';
import { spread } from '../../../src/simulation/spread.js';

const COUNT = 50_000;

for (const { name, mix, mean, p95, longest } of [
  { name: 'tight', mix: tightMix, mean: 27, p95: 47, longest: 96 },
  { name: 'wide', mix: wideMix, mean: 42, p95: 98, longest: 512 },
]) {
  describe(`the ${name} mix`, () => {
    for (const [where, lengths] of [
      ['the simulator', Array.from({ length: COUNT }, drawLengths(mix, seededRandom(1)))],
      ['benchmarks', drawSpread(mix, COUNT, seededRandom(2))],
    ] as const) {
      test(`is what its description says, in ${where}`, () => {
        const measured = spread(lengths);
        assert.ok(Math.abs(measured.mean - mean) < 0.5, `${measured.mean}`);
        assert.ok(Math.abs(measured.p95 - p95) <= 3, `${measured.p95}`);
        assert.ok(measured.max <= longest && measured.max > 0.9 * longest, `${measured.max}`);
      });
    }
  });
}
