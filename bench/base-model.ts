import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const script = join(root, 'bench/models/make_base.py');
const requirements = join(root, 'training/requirements.txt');
const modelsDirectory = join(root, 'bench/models/out');
const environment = join(root, '.venv');

/**
 * The models folder that holds `base/1`: a DistilBERT-base-sized classifier with random weights. Made on first use by
 * a Python script, in a virtual environment of its own; both are git-ignored.
 */
export function provideBaseModel(): string {
  const directory = join(modelsDirectory, 'base', '1');
  if (existsSync(join(directory, 'golden.json'))) return modelsDirectory;
  const python = join(environment, 'bin/python');
  if (!existsSync(python)) {
    console.error('bench: making a Python environment with training/requirements.txt, once');
    execFileSync('python3', ['-m', 'venv', environment], { stdio: 'inherit' });
    execFileSync(python, ['-m', 'pip', 'install', '--quiet', '-r', requirements], { stdio: 'inherit' });
  }
  console.error('bench: making the base model, once');
  execFileSync(python, [script, '--out', directory], { stdio: ['ignore', 'ignore', 'inherit'] });
  return modelsDirectory;
}
