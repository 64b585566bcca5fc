import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { SourceAccess } from '../app/add-model.js';
import type { CliContext } from './context.js';

/**
 * How to reach the Hugging Face Hub, from the variables that its own clients read:
 * https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables
 */
export function hubSettings(env: CliContext['env']): SourceAccess['hub'] {
  const home = env('HF_HOME') ?? join(env('XDG_CACHE_HOME') ?? join(homedir(), '.cache'), 'huggingface');
  return {
    endpoint: env('HF_ENDPOINT') ?? 'https://huggingface.co',
    token: env('HF_TOKEN') ?? savedToken(env, home),
    cacheDir: env('HF_HUB_CACHE') ?? env('HUGGINGFACE_HUB_CACHE') ?? join(home, 'hub'),
    offline: isOn(env('HF_HUB_OFFLINE')),
  };
}

/** What `hf auth login` leaves behind. */
function savedToken(env: CliContext['env'], home: string): string | undefined {
  if (isOn(env('HF_HUB_DISABLE_IMPLICIT_TOKEN'))) return undefined;
  try {
    return readFileSync(env('HF_TOKEN_PATH') ?? join(home, 'token'), 'utf8').trim() || undefined;
  } catch {
    return undefined;
  }
}

function isOn(value: string | undefined): boolean {
  return value !== undefined && ['1', 'ON', 'TRUE', 'YES'].includes(value.toUpperCase());
}
