// Classifies the lines of standard input over one stream, and prints each answer as it comes.
import { createInterface } from 'node:readline';
import { VerdictClient } from '@verdict-grpc/client';

const client = new VerdictClient({ address: process.env.VERDICT_ADDRESS ?? '127.0.0.1:50051' });

// The client reads no further ahead than its window, so a file of any size will do.
const lines = createInterface({ input: process.stdin });

for await (const result of client.classifyStream(lines)) {
  if (result.ok) {
    const { label, score } = result.classification;
    // Neither is there where a threshold leaves no label.
    console.log(`${label ?? '-'}\t${score?.toFixed(3) ?? '-'}\t${result.item}`);
  } else {
    console.log(`${result.error.code}\t-\t${result.item}`);
  }
}
client.close();
