import { settingName } from '../config/setting-name.js';
import type { Config } from '../config.js';
import { CredentialWatch } from '../tls/credential-watch.js';
import type { TlsHooks } from '../tls/types.js';

/**
 * The credentials of all ports; undefined where TLS is off.
 * @throws Error that names the settings where the files cannot be used
 */
export async function openCredentials(
  { cert, key, clientCa }: Config['tls'],
  hooks: TlsHooks,
): Promise<CredentialWatch | undefined> {
  if (cert === undefined || key === undefined) return undefined;
  const settings = {
    cert: settingName('tls.cert'),
    key: settingName('tls.key'),
    clientCa: settingName('tls.clientCa'),
  };
  return CredentialWatch.open({ paths: { cert, key, clientCa }, settings, hooks });
}
