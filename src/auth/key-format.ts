import { createHmac, type KeyObject, randomBytes } from 'node:crypto';

/** The id of a key is public: the log and `verdict keys list` show it. */
export const keyIdPattern = /^[a-z0-9][a-z0-9-]{0,31}$/;

/** 256 bits in base64url. The last character carries four of them: any other would be a second spelling of the same bits. */
export const bits256Pattern = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;

const prefix = 'vk_';
const secretChars = 43;
const maxIdChars = 32;
const maxKeyChars = prefix.length + maxIdChars + 1 + secretChars;

/** 256 random bits in base64url. */
export function random256(): string {
  return randomBytes(32).toString('base64url');
}

/** `vk_<id>_<256 random bits>`: the id has no underscore, so the key reads in one way only. */
export function newKey(id: string): string {
  return `${prefix}${id}_${random256()}`;
}

/** The id in front of a key; undefined if this is no key. Costs next to nothing, whatever it is given. */
export function idOfKey(presented: string): string | undefined {
  if (presented.length > maxKeyChars || !presented.startsWith(prefix)) return undefined;
  const at = presented.length - secretChars - 1;
  if (presented[at] !== '_') return undefined;
  const id = presented.slice(prefix.length, at);
  return keyIdPattern.test(id) && bits256Pattern.test(presented.slice(at + 1)) ? id : undefined;
}

/** What is kept of a key. It covers the id too, so that a hash fits no other entry. */
export function hashOfKey(key: string, secret: KeyObject): Buffer {
  return createHmac('sha256', secret).update(key).digest();
}
