import { credentials, type StatusObject } from '@grpc/grpc-js';
import {
  type HealthCheckResponse,
  HealthClient,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from '../../generated/grpc/health/v1/health.js';

const names = new Map<number, string>(Object.entries(ServingStatus).map(([name, value]) => [value, name]));

/** A Health Watch call that notes every status it is told. */
export class HealthLog {
  readonly told: string[] = [];
  /** What the call ended with. Never rejects. */
  readonly status: Promise<StatusObject>;
  readonly #client: HealthClient;

  constructor(address: string, service = '') {
    this.#client = new HealthClient(address, credentials.createInsecure());
    const call = this.#client.watch({ service });
    call.on('data', ({ status }: HealthCheckResponse) => this.told.push(names.get(status) ?? `${status}`));
    call.on('error', () => {});
    this.status = new Promise((resolve) => call.on('status', resolve));
  }

  get last(): string | undefined {
    return this.told.at(-1);
  }

  close(): void {
    this.#client.close();
  }
}
