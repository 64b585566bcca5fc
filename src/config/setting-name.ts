import { settings } from './settings.js';

/** The names of a setting as users know it: `--port (VERDICT_PORT)`. @param path `server.port` */
export function settingName(path: string): string {
  const setting = settings.find((one) => one.path === path);
  return setting === undefined ? path : `${setting.flag} (${setting.variable})`;
}
