import { isIP } from 'node:net';
import type { TextRule } from './setting.js';
import { isVersionPolicy } from './version-policy.js';

export const address: TextRule = {
  test: (value) => /^[\w.:%-]+$/.test(value),
  allowed: 'a host name or an address, without a port',
};

export const path: TextRule = {
  test: (value) => value.trim() !== '',
  allowed: 'a path',
};

export const networks: TextRule = {
  test: (value) => value.split(',').every((network) => isNetwork(network.trim())),
  allowed: 'addresses and networks, separated by commas: 10.0.0.0/8,::1',
};

export const httpUrl: TextRule = {
  test: isHttpUrl,
  allowed: 'an http:// or https:// URL without a user, query, fragment or trailing slash',
};

export const otlpEndpoint: TextRule = {
  test: (value) => isHttpUrl(value.replace(/\/$/, '')),
  allowed: 'an http:// or https:// URL without a user, query or fragment',
};

export const otlpHeaders: TextRule = {
  test: (value) => value.split(',').every(isHeader),
  allowed: 'names and values, separated by commas: authorization=Bearer%20TOKEN',
};

export const serviceName: TextRule = {
  test: (value) => /^[ -~]{1,128}$/.test(value),
  allowed: '1 to 128 printable ASCII characters',
};

export const claim: TextRule = {
  test: (value) => /^[!-~]{1,512}$/.test(value),
  allowed: '1 to 512 printable ASCII characters without spaces',
};

export const modelName: TextRule = {
  test: (value) => /^[a-z0-9][a-z0-9._-]{0,63}$/.test(value),
  allowed: 'a model name: 1 to 64 of a-z, 0-9, ".", "_" and "-", starting with a letter or a digit',
};

export const modelNames: TextRule = {
  test: (value) => value.split(',').every((name) => modelName.test(name.trim())),
  allowed: 'model names, separated by commas',
};

export const modelVersions: TextRule = {
  test: isVersionPolicy,
  allowed: 'latest, all, or models with their versions, separated by semicolons: sentiment=1,2;intent=all',
};

export const keyPrefix: TextRule = {
  test: (value) => /^[!-~]{1,64}$/.test(value),
  allowed: '1 to 64 printable ASCII characters without spaces',
};

export const secret: TextRule = {
  test: (value) => /^[!-~]{32,256}$/.test(value),
  allowed: '32 to 256 printable ASCII characters without spaces',
};

export const masterName: TextRule = {
  test: (value) => /^[!-~]{1,128}$/.test(value),
  allowed: '1 to 128 printable ASCII characters without spaces',
};

export const redisUrl: TextRule = {
  test: (value) => value.split(/,(?=rediss?:)/).every(isRedisUrl),
  allowed: 'a redis:// or rediss:// URL, or for Sentinel and Cluster several, separated by commas',
};

function isNetwork(value: string): boolean {
  const [address = '', bits, ...rest] = value.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

function isHttpUrl(value: string): boolean {
  if (!/^https?:\/\/[^\s?#@]*[^\s?#@/]$/.test(value) || !URL.canParse(value)) return false;
  const { hostname } = new URL(value);
  return /^[\w.:[\]-]+$/.test(hostname);
}

/** gRPC takes bytes for names that end with -bin, and no value here is bytes. Control characters fit no header. */
function isHeader(pair: string): boolean {
  const [, name = '', value] = /^\s*([\w.-]+)\s*=([!-~ ]*)$/.exec(pair) ?? [];
  if (value === undefined || name.toLowerCase().endsWith('-bin')) return false;
  return /^[ -~]*$/.test(decoded(value) ?? '\0');
}

function isRedisUrl(value: string): boolean {
  if (!/^rediss?:\/\//.test(value) || !URL.canParse(value)) return false;
  const { hostname, pathname, username, password } = new URL(value);
  const areDecodable = [username, password].every((part) => decoded(part) !== undefined);
  return areDecodable && /^[\w.:[\]-]*$/.test(hostname) && /^(\/\d*)?$/.test(pathname);
}

/** Without percent-encoding; undefined if it is no UTF-8 in it. */
function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
