import { connect } from 'node:net';
import type { Random } from '../../src/simulation/random.js';
import { callHeaders, headerField, http2Frame, magic, settings } from '../support/wire-frames.js';
import { bodyOf, corpus } from './corpus.js';
import { mutate } from './mutate.js';

/** A connection that the server keeps open has no more to say after this. */
const IDLE_MS = 20;

/** The frames of a sound connection with a call, and those that a client may send besides. */
function framesOf(random: Random): Buffer[] {
  const specimen = corpus[Math.min(corpus.length - 1, Math.floor(random() * corpus.length))];
  if (specimen === undefined) return [];
  const four = Buffer.from([0, 0, 0, 8]);
  return [
    settings,
    callHeaders(1, specimen.path),
    http2Frame(0, 1, 1, bodyOf(specimen, false)),
    http2Frame(8, 0, 0, four),
    http2Frame(6, 0, 0, Buffer.alloc(8)),
    http2Frame(2, 0, 3, Buffer.from([0, 0, 0, 1, 16])),
    callHeaders(3, specimen.path),
    http2Frame(3, 0, 3, four),
    http2Frame(9, 4, 3, headerField('x', 'y')),
  ];
}

/** Opens a connection of which one frame or more is mutated, left out, repeated or elsewhere. Resolves when it is over. */
export function sendConnection(port: number, random: Random): Promise<void> {
  const frames = framesOf(random);
  for (let changes = 1 + Math.floor(random() * 3); changes > 0; changes--) {
    const at = Math.floor(random() * frames.length) % frames.length;
    const frame = frames[at] ?? settings;
    const choice = random();
    if (choice < 0.6) frames[at] = mutate(frame, frames[0] ?? settings, random);
    else if (choice < 0.7) frames.splice(at, 1);
    else if (choice < 0.85) frames.splice(at, 0, ...Array.from({ length: 20 }, () => frame));
    else frames.push(...frames.splice(at, 1));
  }
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.setNoDelay(true);
    socket.setTimeout(IDLE_MS, () => socket.destroy());
    socket.on('error', () => {});
    socket.once('close', () => resolve());
    socket.resume();
    const start = random() < 0.02 ? mutate(magic, settings, random) : magic;
    socket.write(Buffer.concat([start, ...frames]));
  });
}
