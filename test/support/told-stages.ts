import type { InputTrace } from '../../src/claim.js';

/** The trace of an input that writes down which stages it is told of, and whose work each waited for. */
export class ToldStages implements InputTrace {
  readonly traceId = '1'.repeat(32);
  readonly spanId = '2'.repeat(16);
  readonly stages: (readonly [name: string, startedAt: number, endedAt: number])[] = [];
  readonly waitedFor: (InputTrace | undefined)[] = [];

  stage(name: string, startedAt: number, endedAt: number, of?: InputTrace): void {
    this.stages.push([name, startedAt, endedAt]);
    this.waitedFor.push(of);
  }

  get names(): string[] {
    return this.stages.map(([name]) => name);
  }
}
