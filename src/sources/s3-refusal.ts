import { RegistryError } from './source-error.js';

/** Who was asked for what. */
interface Asked {
  /** `s3://bucket/prefix`. */
  readonly source: string;
  readonly bucket: string;
  /** Undefined: Amazon's own. */
  readonly endpoint: string | undefined;
}

/** What went wrong with S3, for the person who asked, and what helps. No message of the SDK or the server is in it: some name keys. */
export function s3InWords(error: unknown, { source, bucket, endpoint }: Asked): RegistryError {
  if (error instanceof RegistryError) return error;
  const host = endpoint ?? 'S3';
  const say = (words: string) => new RegistryError(words, { cause: error });
  const { name = '', code = '' } = error as { readonly name?: string; readonly code?: string };
  switch (name) {
    case 'NoSuchBucket':
      return say(`${host} has no bucket ${bucket}`);
    case 'NoSuchKey':
    case 'NotFound':
      return say(`${source}: an object that was listed is gone. Try again`);
    case 'PreconditionFailed':
      return say(`${source}: an object has changed while it was read. Try again`);
    case 'InvalidAccessKeyId':
    case 'SignatureDoesNotMatch':
    case 'InvalidSignature':
    case 'InvalidToken':
    case 'ExpiredToken':
    case 'ExpiredTokenException':
      return say(
        `${host} does not take these credentials (${name}): check AWS_ACCESS_KEY_ID, or AWS_PROFILE`,
      );
    case 'AccessDenied':
      return say(
        `${host} does not let these credentials read ${source}: they need s3:ListBucket and s3:GetObject`,
      );
    case 'CredentialsProviderError':
    case 'TokenProviderError':
      return say(
        `no credentials for ${host}: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or a role of this machine`,
      );
    case 'PermanentRedirect':
      return say(`the bucket ${bucket} is in another region: set AWS_REGION to it`);
    case 'AbortError':
    case 'TimeoutError':
      return say(`cannot read from ${host} (no answer in time)`);
    case 'SlowDown':
    case 'ThrottlingException':
      return say(`${host} limits requests: try again later`);
  }
  if (error instanceof Error && /^Region is missing/.test(error.message)) {
    return say(`no region for ${host}: set AWS_REGION`);
  }
  const status = statusOf(error);
  if (status === undefined) return say(`cannot read from ${host} (${reasonOf(code || name)})`);
  if (status === 401 || status === 403) {
    return say(`${host} does not let these credentials read ${source}`);
  }
  return say(`${host} answers with status ${status} for ${source}`);
}

function statusOf(error: unknown): number | undefined {
  const { $metadata } = error as { readonly $metadata?: { readonly httpStatusCode?: number } };
  return $metadata?.httpStatusCode;
}

/** A server may call its error anything. */
function reasonOf(name: string): string {
  return /^[A-Za-z_]{1,40}$/.test(name) ? name : 'no usable answer';
}
