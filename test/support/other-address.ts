import { networkInterfaces } from 'node:os';

/** An address of this machine that is not loopback; undefined where it has none. */
export const otherAddress = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;

/** Why a test that calls from there is skipped. */
export const skipWithoutOtherAddress =
  otherAddress === undefined ? 'this machine has no address but loopback' : false;
