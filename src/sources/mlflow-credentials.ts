/** What shows an MLflow server who asks. */
export type MlflowCredentials =
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'password'; readonly username: string; readonly password: string };

/** The header that carries them. */
export function authorization(credentials: MlflowCredentials | undefined): Record<string, string> {
  if (credentials === undefined) return {};
  if (credentials.kind === 'token') return { authorization: `Bearer ${credentials.token}` };
  const { username, password } = credentials;
  return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
}
