import {
  HealthCheckRequest,
  HealthCheckResponse,
  HealthListRequest,
  HealthListResponse,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from '../../generated/grpc/health/v1/health.js';
import { VerdictError } from '../errors.js';
import type { ModelCatalog } from '../models/types.js';
import { classifierServiceName } from './classifier-service.js';
import { HealthWatch } from './health-watch.js';
import { allServe, serves } from './model-health.js';
import { PeerCounts } from './peer.js';
import type { AnyRoute, Route } from './route.js';
import { smallRequestBytes } from './server-options.js';
import { UnaryCall } from './unary.js';

const modelPrefix = 'models/';

/**
 * The health of the server (""), of ClassifierService and of each model (`models/<name>`), read from the catalog at
 * the moment of asking, so that it cannot differ from what calls will meet. A model serves when one of its versions
 * does; the service and the server do when there is a model and all serve that could be loaded.
 */
export class Health {
  readonly #catalog: ModelCatalog;
  readonly #maxWatchers: number;
  readonly #maxWatchersPerPeer: number;
  readonly #ofPeers = new PeerCounts();
  readonly #watches = new Set<HealthWatch>();
  readonly #stopListening: () => void;
  #stopped = false;

  constructor(options: {
    readonly catalog: ModelCatalog;
    readonly maxWatchers: number;
    readonly maxWatchersPerPeer: number;
  }) {
    this.#catalog = options.catalog;
    this.#maxWatchers = options.maxWatchers;
    this.#maxWatchersPerPeer = options.maxWatchersPerPeer;
    this.#stopListening = this.#catalog.onChange(() => this.#notify());
  }

  /** From now on nothing serves, whatever the models do. Watchers are told at once. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#stopListening();
    this.#notify();
  }

  /** The status of a name; SERVICE_UNKNOWN where there is none of that name. */
  statusOf(name: string): ServingStatus {
    if (name === '' || name === classifierServiceName) return this.#status(allServe(this.#catalog));
    const model = this.#catalog.list().find((view) => modelPrefix + view.name === name);
    return model === undefined ? ServingStatus.SERVICE_UNKNOWN : this.#status(serves(model));
  }

  routes(): AnyRoute[] {
    const service = 'grpc.health.v1.Health';

    const check: Route<HealthCheckRequest, HealthCheckResponse> = {
      service,
      method: 'Check',
      shape: 'unary',
      requestType: HealthCheckRequest,
      responseType: HealthCheckResponse,
      maxRequestBytes: smallRequestBytes,
      open: (call) =>
        new UnaryCall(call, (request) => {
          const status = this.statusOf(request.service);
          if (status !== ServingStatus.SERVICE_UNKNOWN) return { status };
          throw new VerdictError('not_found', 'service: unknown', { reason: 'UNKNOWN_SERVICE' });
        }),
    };

    const list: Route<HealthListRequest, HealthListResponse> = {
      service,
      method: 'List',
      shape: 'unary',
      requestType: HealthListRequest,
      responseType: HealthListResponse,
      maxRequestBytes: smallRequestBytes,
      open: (call) => new UnaryCall(call, () => ({ statuses: Object.fromEntries(this.#statuses()) })),
    };

    const watch: Route<HealthCheckRequest, HealthCheckResponse> = {
      service,
      method: 'Watch',
      shape: 'serverStream',
      mayIdle: true,
      requestType: HealthCheckRequest,
      responseType: HealthCheckResponse,
      maxRequestBytes: smallRequestBytes,
      open: (call) => {
        const { peer } = call;
        if (this.#watches.size >= this.#maxWatchers) throw tooManyWatchers(this.#maxWatchers, 'in all');
        if (this.#ofPeers.of(peer) >= this.#maxWatchersPerPeer) {
          throw tooManyWatchers(this.#maxWatchersPerPeer, 'of one caller');
        }
        const health = new HealthWatch(call, {
          statusOf: (name) => this.statusOf(name),
          onClose: () => {
            this.#watches.delete(health);
            this.#ofPeers.remove(peer);
          },
        });
        this.#watches.add(health);
        this.#ofPeers.add(peer);
        return health;
      },
    };

    return [check, list, watch];
  }

  *#statuses(): Generator<[string, HealthCheckResponse]> {
    for (const name of ['', classifierServiceName])
      yield [name, { status: this.#status(allServe(this.#catalog)) }];
    for (const view of this.#catalog.list()) {
      yield [modelPrefix + view.name, { status: this.#status(serves(view)) }];
    }
  }

  #status(isServing: boolean): ServingStatus {
    return isServing && !this.#stopped ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
  }

  #notify(): void {
    for (const watch of this.#watches) watch.onChange();
  }
}

function tooManyWatchers(max: number, whose: string): VerdictError {
  return new VerdictError(
    'resource_exhausted',
    `${max} health Watch calls ${whose} are open, which is the limit`,
    {
      reason: 'TOO_MANY_WATCHERS',
      retryAfterMs: 5_000,
    },
  );
}
