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
  };
}
