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
export type { FlippedLabel, LabelComparison, VersionComparison } from './comparison-types.js';
export type { ForgetOptions, ForgetResult, ForgottenVersion } from './forget-types.js';
export type {
  Batching,
  CostCurve,
  HealthStatus,
  Model,
  ModelAlias,
  ModelLimits,
  ModelReload,
  ModelShadow,
  ModelState,
  ModelVersion,
  ProblemType,
  ReloadOutcome,
  Rollback,
  RollbackCause,
  RollbackLimits,
  RollbackRule,
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
