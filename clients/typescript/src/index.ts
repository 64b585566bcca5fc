export type { ClassifyStream } from './classify-stream.js';
export { type ClientErrorCode, VerdictClientError } from './client-error.js';
export {
  type ApiKeyOption,
  DEFAULT_ADDRESS,
  type KeepaliveOptions,
  type MetadataOption,
  type TlsOptions,
  type VerdictClientOptions,
} from './client-options.js';
export type { ForgetOptions, ForgetResult, ForgottenVersion } from './forget-types.js';
export type {
  Batching,
  CostCurve,
  HealthStatus,
  Model,
  ModelAlias,
  ModelLimits,
  ModelReload,
  ModelState,
  ModelVersion,
  ProblemType,
  ReloadOutcome,
  TrafficShare,
} from './model-types.js';
export type { RetryPolicy } from './retry.js';
export type { StageTime, StatisticsOptions, VersionStatistics } from './statistics-types.js';
export type { FieldViolation } from './status-details.js';
export type { StreamItem, StreamOptions, StreamResult, StreamSummary } from './stream-types.js';
export type {
  Activation,
  CacheMode,
  CacheOutcome,
  CallOptions,
  Classification,
  ClassifyInput,
  ClassifyOptions,
  ModelChoice,
  Prediction,
  RoutingOptions,
  TextInput,
  Timings,
  Truncation,
} from './types.js';
export { type BatchResult, type ClassifyCallOptions, VerdictClient } from './verdict-client.js';
