import { StateFile } from '../../src/models/state-file.js';
import { undivided } from '../../src/models/traffic.js';

/**
 * Replaces a state file without end, and says each time by its number what is on the disk. Every state is hundreds of kilobytes long
 * and names its number in each model.
 */
const file = new StateFile(process.argv[2] ?? '');
for (let number = 1; ; number++) {
  const routing = { traffic: undivided('1'), aliases: new Map([['number', String(number)]]) };
  await file.change(() => new Map(Array.from({ length: 2_000 }, (_, at) => [`m${at}`, routing] as const)));
  process.stdout.write(`${number}\n`);
}
