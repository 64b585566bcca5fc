import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net';

/** The header in which proxies write whom they speak for: each appends the address that it was spoken to from. */
export const forwardedKey = 'x-forwarded-for';

/** Addresses in a header that are looked at: callers may send a header of any length. */
const maxHops = 16;

/**
 * Tells callers apart, for every limit that holds for each of them. Who calls is the address that the connection comes
 * from, or the one that trusted proxies name: the header is read from the right, and the first address that is no trusted
 * proxy's is the caller's. What stands left of it the caller may have made up.
 *
 * An IPv6 caller is its /64, the smallest network that is given out: a single host has all addresses of it.
 */
export class Peers {
  readonly #trusted = new BlockList();
  readonly #hasTrusted: boolean;

  /** @param trustedProxies addresses and networks: `10.0.0.0/8`, `::1` */
  constructor(trustedProxies: readonly string[] = []) {
    this.#hasTrusted = trustedProxies.length > 0;
    for (const proxy of trustedProxies) {
      const [address = '', bits] = proxy.split('/');
      const family = isIPv6(address) ? 'ipv6' : 'ipv4';
      if (bits === undefined) this.#trusted.addAddress(address, family);
      else this.#trusted.addSubnet(address, Number(bits), family);
    }
  }

  /** Whether connections from the address carry the calls of many. */
  isTrusted(address: string): boolean {
    const plain = plainAddress(address);
    return (
      this.#hasTrusted && isIP(plain) !== 0 && this.#trusted.check(plain, isIPv6(plain) ? 'ipv6' : 'ipv4')
    );
  }

  /**
   * Who is behind a connection, or a call.
   * @param address of the other end of the connection
   * @param forwarded the header of the call, where one came
   */
  of(address: string, forwarded?: string): string {
    if (forwarded === undefined || !this.isTrusted(address)) return peerName(address);
    const hops = forwarded.split(',').slice(-maxHops);
    let caller = address;
    for (const hop of hops.toReversed()) {
      const named = withoutPort(hop.trim());
      // What is no address says nothing of who came before it.
      if (isIP(plainAddress(named)) === 0) break;
      caller = named;
      if (!this.isTrusted(named)) break;
    }
    return peerName(caller);
  }
}

/** The name that a peer's limits are kept under. */
function peerName(address: string): string {
  const plain = plainAddress(address);
  if (!isIPv6(plain)) return plain;
  return `${network64(plain)}::/64`;
}

/** The address without a zone, and as IPv4 where it is one written as IPv6. */
function plainAddress(address: string): string {
  const [bare = ''] = address.split('%');
  const mapped = /^::ffff:([\d.]+)$/i.exec(bare)?.[1];
  return mapped !== undefined && isIPv4(mapped) ? mapped : bare;
}

/** `1.2.3.4:5` and `[::1]:5` have a port. */
function withoutPort(hop: string): string {
  const bracketed = /^\[(.*)\](?::\d+)?$/.exec(hop)?.[1];
  if (bracketed !== undefined) return bracketed;
  return /^[\d.]+:\d+$/.test(hop) ? hop.slice(0, hop.indexOf(':')) : hop;
}

/** The first four of the eight groups, without leading zeros. */
function network64(address: string): string {
  const [head = '', tail] = address.toLowerCase().split('::');
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const after = tail === '' ? [] : tail.split(':');
    // An IPv4 address at the end stands for two groups.
    const afterCount = after.length + (tail.includes('.') ? 1 : 0);
    while (groups.length < 8 - afterCount) groups.push('0');
    groups.push(...after);
  }
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}

/** Counts what each peer has of something that there is only so much of. */
export class PeerCounts {
  readonly #counts = new Map<string, number>();

  of(peer: string): number {
    return this.#counts.get(peer) ?? 0;
  }

  add(peer: string): void {
    this.#counts.set(peer, this.of(peer) + 1);
  }

  remove(peer: string): void {
    const left = this.of(peer) - 1;
    if (left > 0) this.#counts.set(peer, left);
    else this.#counts.delete(peer);
  }
}
