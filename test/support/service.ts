import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { type ChannelCredentials, credentials } from '@grpc/grpc-js';
import { VerdictClient } from '../../clients/typescript/src/index.js';
import { HealthClient } from '../../generated/grpc/health/v1/health.js';
import { ClassifierServiceClient } from '../../generated/verdict/v1/classifier_service.js';
import { ModelServiceClient } from '../../generated/verdict/v1/model_service.js';
import { modelsDirectory } from './models-directory.js';
import { ServerProcess } from './server-process.js';
import { until } from './until.js';

/** The real server over a choice of models, with a client of every kind. */
export class Service {
  readonly server: ServerProcess;
  /** The package's own client, which decodes error details. It never tries a call again. */
  readonly client: VerdictClient;
  /** The generated clients, for what the package's client hides. */
  readonly classifier: ClassifierServiceClient;
  readonly models: ModelServiceClient;
  readonly health: HealthClient;
  readonly #modelsPath: string;
  readonly #removeModels: () => Promise<void>;
  #stopped: Promise<void> | undefined;

  private constructor(server: ServerProcess, modelsPath: string, removeModels: () => Promise<void>) {
    const open = <C>(Client: new (address: string, credentials: ChannelCredentials) => C): C =>
      new Client(server.address, credentials.createInsecure());
    this.server = server;
    this.client = new VerdictClient({ address: server.address, retry: false });
    this.classifier = open(ClassifierServiceClient);
    this.models = open(ModelServiceClient);
    this.health = open(HealthClient);
    this.#modelsPath = modelsPath;
    this.#removeModels = removeModels;
  }

  /**
   * @param models fixtures and embedded models by name; the first one is the default model
   * @param settings environment variables
   */
  static async start(
    models: readonly [string, ...string[]],
    settings: Readonly<Record<string, string>> = {},
  ): Promise<Service> {
    const { path, remove } = await modelsDirectory(models);
    try {
      const own = { VERDICT_MODELS_DIR: path, VERDICT_DEFAULT_MODEL: models[0] };
      return new Service(await ServerProcess.start({ ...own, ...settings }), path, remove);
    } catch (error) {
      await remove();
      throw error;
    }
  }

  /** The port of the gRPC server. */
  get port(): number {
    return Number(this.server.address.split(':')[1]);
  }

  /** Inputs that sessions of a model have run, the failed runs left out. */
  itemsRun(model: string): Promise<number> {
    return this.server.metric('verdict_batch_items_sum', { model });
  }

  /**
   * Stops the session process of a model, so that the run under way lasts until the returned function lets it go on:
   * whatever is to happen during a run, or while others wait behind it, happens then.
   */
  holdSession(model: string): () => void {
    const ready = this.server.log.findLast((line) => line.msg === 'session ready' && line.model === model);
    const pid = Number(ready?.pid);
    process.kill(pid, 'SIGSTOP');
    return () => void process.kill(pid, 'SIGCONT');
  }

  /** Takes the model's files away, so that no replacement of its sessions can start. */
  withhold(model: string): Promise<void> {
    return rename(join(this.#modelsPath, model), join(this.#modelsPath, `.${model}`));
  }

  /** Waits until a held session of a model is in a run: the time that it is busy grows. */
  async untilRunning(model: string): Promise<void> {
    const busySeconds = () => this.server.metric('verdict_session_busy_seconds_total', { model });
    let before = await busySeconds();
    await until(`a run of ${model} is under way`, async () => {
      const now = await busySeconds();
      const grows = now > before;
      before = now;
      return grows;
    });
  }

  /** Waits until that many inputs of a model wait for its session. */
  untilQueued(model: string, items: number): Promise<void> {
    return until(`${items} inputs of ${model} are queued`, async () => {
      return (await this.server.metric('verdict_queue_items', { model })) === items;
    });
  }

  /** A page of the admin server. */
  page(path: string): Promise<Response> {
    return fetch(`${this.server.adminUrl}${path}`);
  }

  /** Stops the server, once. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    for (const client of [this.client, this.classifier, this.models, this.health]) client.close();
    await this.server.stop();
    await this.#removeModels();
  }
}
