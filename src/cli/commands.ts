import type { Command } from './command.js';

/** A command in the overview; its code is loaded when it is called. */
export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  load(): Promise<Command>;
}

/** The commands, in the order of `verdict --help`. `serve` is not among them: its flags are the configuration's. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'classify',
    summary: 'classify texts, or the rows of a file, with a running server',
    load: async () => (await import('./classify.js')).classify,
  },
  {
    name: 'models list',
    summary: 'list the models of a running server',
    load: async () => (await import('./models-list.js')).modelsList,
  },
  {
    name: 'models stats',
    summary: 'tell what the models of a running server have done',
    load: async () => (await import('./models-stats.js')).modelsStats,
  },
  {
    name: 'models reload',
    summary: 'have a running server load models that have changed',
    load: async () => (await import('./models-reload.js')).modelsReload,
  },
  {
    name: 'models load',
    summary: 'have a running server load a model before it is asked for',
    load: async () => (await import('./models-load.js')).modelsLoad,
  },
  {
    name: 'models unload',
    summary: 'have a running server unload a model',
    load: async () => (await import('./models-unload.js')).modelsUnload,
  },
  {
    name: 'models traffic',
    summary: 'divide the requests for a model among its versions',
    load: async () => (await import('./models-traffic.js')).modelsTraffic,
  },
  {
    name: 'models alias',
    summary: 'give a version of a model another name',
    load: async () => (await import('./models-alias.js')).modelsAlias,
  },
  {
    name: 'models shadow',
    summary: 'ask a version on the side what others have answered, and compare',
    load: async () => (await import('./models-shadow.js')).modelsShadow,
  },
  {
    name: 'models compare',
    summary: 'show how the answers of versions differ',
    load: async () => (await import('./models-compare.js')).modelsCompare,
  },
  {
    name: 'models rollback',
    summary: 'set when a candidate loses its traffic',
    load: async () => (await import('./models-rollback.js')).modelsRollback,
  },
  {
    name: 'models add',
    summary: 'add a model from the Hugging Face Hub, MLflow, S3 or a folder',
    load: async () => (await import('./models-add.js')).modelsAdd,
  },
  {
    name: 'models follow',
    summary: 'publish what is new in MLflow, S3 or the Hugging Face Hub, again and again',
    load: async () => (await import('./models-follow.js')).modelsFollow,
  },
  {
    name: 'models verify',
    summary: 'check a model directory, without a server',
    load: async () => (await import('./models-verify.js')).modelsVerify,
  },
  {
    name: 'cache forget',
    summary: 'remove the answers for a text from the cache of a running server',
    load: async () => (await import('./cache-forget.js')).cacheForget,
  },
  {
    name: 'keys new',
    summary: 'make an API key, and add it to the key file of the server',
    load: async () => (await import('./keys-new.js')).keysNew,
  },
  {
    name: 'keys list',
    summary: 'list the API keys of a key file',
    load: async () => (await import('./keys-list.js')).keysList,
  },
  {
    name: 'keys revoke',
    summary: 'take an API key out of a key file',
    load: async () => (await import('./keys-revoke.js')).keysRevoke,
  },
  {
    name: 'health',
    summary: 'ask a running server whether it can serve',
    load: async () => (await import('./health.js')).health,
  },
  {
    name: 'bench simulate',
    summary: 'run the batcher on a virtual clock: compare policies, plan capacity',
    load: async () => (await import('./bench-simulate.js')).benchSimulate,
  },
];
