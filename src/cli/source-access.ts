import type { SourceAccess } from '../app/add-model.js';
import type { CliContext } from './context.js';
import { hubSettings } from './hub-settings.js';

/** How to reach registries, from the variables that their own clients read. The SDK of AWS reads its credentials by itself. */
export function sourceAccess(env: CliContext['env']): SourceAccess {
  const endpoint = env('AWS_ENDPOINT_URL_S3') ?? env('AWS_ENDPOINT_URL');
  return {
    hub: hubSettings(env),
    s3: {
      endpoint,
      // Other servers than Amazon's seldom care, but the SDK does not ask one without.
      region: env('AWS_REGION') ?? env('AWS_DEFAULT_REGION') ?? (endpoint && 'us-east-1'),
    },
    mlflow: { trackingUri: env('MLFLOW_TRACKING_URI'), credentials: mlflowCredentials(env) },
  };
}

/** Where both are set, MLflow's own client takes the password. */
function mlflowCredentials(env: CliContext['env']): SourceAccess['mlflow']['credentials'] {
  const [username, password] = [env('MLFLOW_TRACKING_USERNAME'), env('MLFLOW_TRACKING_PASSWORD')];
  if (username !== undefined && password !== undefined) return { kind: 'password', username, password };
  const token = env('MLFLOW_TRACKING_TOKEN');
  return token === undefined ? undefined : { kind: 'token', token };
}
