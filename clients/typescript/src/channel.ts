import { type ChannelCredentials, type ChannelOptions, Client, credentials } from '@grpc/grpc-js';
import { invalidArgument } from './client-error.js';
import {
  checkMaxReceiveBytes,
  DEFAULT_ADDRESS,
  DEFAULT_MAX_RECEIVE_BYTES,
  type TlsOptions,
  type VerdictClientOptions,
} from './client-options.js';

/** Spreads calls over all addresses; with one address it does what pick_first would. */
const SERVICE_CONFIG = JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] });

/** Opens the channel. Nothing is connected before the first call. */
export function openChannel(options: VerdictClientOptions): Client {
  return new Client(
    options.address ?? DEFAULT_ADDRESS,
    channelCredentials(options.tls ?? false),
    channelOptions(options),
  );
}

function channelCredentials(tls: TlsOptions | false): ChannelCredentials {
  if (tls === false) return credentials.createInsecure();
  if ((tls.cert === undefined) !== (tls.key === undefined)) {
    throw invalidArgument('tls.cert and tls.key must be given together');
  }
  return credentials.createSsl(pem(tls.ca), pem(tls.key), pem(tls.cert));
}

function pem(value: string | Buffer | undefined): Buffer | null {
  return value === undefined ? null : Buffer.from(value);
}

function channelOptions(options: VerdictClientOptions): ChannelOptions {
  const { tls, keepalive = {}, httpProxy = false, maxReceiveBytes = DEFAULT_MAX_RECEIVE_BYTES } = options;
  const serverName = tls ? tls.serverName : undefined;
  return {
    'grpc.primary_user_agent': 'verdict-client',
    'grpc.service_config': SERVICE_CONFIG,
    // Otherwise every resolution also asks DNS for a TXT record.
    'grpc.service_config_disable_resolution': 1,
    'grpc.keepalive_time_ms': keepalive.timeMs ?? 30_000,
    'grpc.keepalive_timeout_ms': keepalive.timeoutMs ?? 10_000,
    'grpc.keepalive_permit_without_calls': (keepalive.whenIdle ?? true) ? 1 : 0,
    // gRPC's own defaults, 1 s growing to 2 minutes, would outlast a restarted server by far.
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 5_000,
    'grpc.max_receive_message_length': checkMaxReceiveBytes(maxReceiveBytes),
    'grpc.enable_http_proxy': httpProxy ? 1 : 0,
    // Costs a fifth of a call's CPU.
    'grpc.enable_channelz': 0,
    ...(serverName === undefined
      ? {}
      : { 'grpc.ssl_target_name_override': serverName, 'grpc.default_authority': serverName }),
  };
}
