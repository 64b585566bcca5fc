import { knobs } from './knobs.js';

/** A setting as users know it, whichever way they set it: `--port (VERDICT_PORT)`. @param path `server.port` */
export function settingName(path: string): string {
  const knob = knobs.find((one) => one.path === path);
  return knob === undefined ? path : `${knob.flag} (${knob.variable})`;
}
