import type { StreamResult, VerdictClient } from '../../clients/typescript/src/index.js';
import type { RowOptions } from './classify-rows.js';
import { answered, type Numbered, type RowResult, unanswered } from './row-result.js';
import { type InputRow, isMalformed, type MalformedRow, type Row } from './rows/row.js';

interface Item extends Numbered<Row> {
  readonly text: string;
  readonly textPair: string | undefined;
  readonly version: string | undefined;
}

/**
 * Sends all rows over one ClassifyStream. Malformed rows are not sent; in request order they keep their place among the
 * results, otherwise they appear as they are read.
 */
export async function* streamRows(
  client: VerdictClient,
  rows: AsyncIterable<InputRow>,
  { model, version, options, signal, window }: RowOptions,
  order: 'request' | 'completion',
  timeoutMs: number | undefined,
): AsyncGenerator<RowResult> {
  const aside = new Aside(window);
  async function* items(): AsyncGenerator<Item> {
    let index = 0;
    let sent = 0;
    for await (const row of rows) {
      if (isMalformed(row)) {
        const isOpen = await aside.put({ row, index, behind: order === 'request' ? sent : 0 });
        if (!isOpen) return;
      } else {
        const { text, textPair } = row;
        sent++;
        yield { text, textPair, version, row, index };
      }
      index++;
    }
  }
  const stream = client.classifyStream(items(), {
    defaultModel: model,
    defaultOptions: options,
    order,
    window,
    signal,
    timeoutMs,
  });
  /** The next step of the stream. */
  let arrived: { readonly step: Promise<IteratorResult<StreamResult<Item>, undefined>> } | undefined;
  const pull = () => {
    arrived = undefined;
    const step = stream.next();
    const arrive = () => {
      arrived = { step };
      aside.wakeReader();
    };
    step.then(arrive, arrive);
  };
  try {
    pull();
    for (let done = 0; ; ) {
      yield* aside.takeUpTo(done);
      if (arrived === undefined) {
        await aside.change();
        continue;
      }
      const step = await arrived.step;
      if (step.done) break;
      pull();
      done++;
      yield toResult(step.value);
    }
    yield* aside.takeUpTo(Number.POSITIVE_INFINITY);
  } finally {
    aside.close();
    await stream.return();
  }
}

function toResult({ item, ...result }: StreamResult<Item>): RowResult {
  return answered(item, result);
}

interface Waiting extends Numbered<MalformedRow> {
  /** Results that come before it. */
  readonly behind: number;
}

/** Malformed rows on their way around the stream, in order. The producer waits while there are many. */
class Aside {
  readonly #most: number;
  #rows: Waiting[] = [];
  #isClosed = false;
  #onChange: () => void = () => undefined;
  #onRoom: () => void = () => undefined;

  constructor(most: number) {
    this.#most = most;
  }

  /** @returns false once nobody takes them */
  async put(row: Waiting): Promise<boolean> {
    while (this.#rows.length >= this.#most && !this.#isClosed) {
      await new Promise<void>((resolve) => {
        this.#onRoom = resolve;
      });
    }
    this.#rows.push(row);
    this.wakeReader();
    return !this.#isClosed;
  }

  /** The malformed rows that are due once that many results are done. */
  takeUpTo(done: number): RowResult[] {
    const count = this.#rows.findIndex(({ behind }) => behind > done);
    const taken = count === -1 ? this.#rows : this.#rows.slice(0, count);
    this.#rows = count === -1 ? [] : this.#rows.slice(count);
    this.#onRoom();
    return taken.map(unanswered);
  }

  /** Resolves with the next row that is put here, or with `wakeReader`. */
  change(): Promise<void> {
    return new Promise((resolve) => {
      this.#onChange = resolve;
    });
  }

  wakeReader(): void {
    this.#onChange();
  }

  close(): void {
    this.#isClosed = true;
    this.#onRoom();
  }
}
