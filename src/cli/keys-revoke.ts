import { withoutEntry } from '../config/key-file-text.js';
import type { Command } from './command.js';
import { EXIT } from './exit-codes.js';
import { parseFlags } from './flags.js';
import { editKeyFile } from './keys/edit-key-file.js';
import { KEY_FILE_FLAG, keyFilePath } from './keys/key-file-flag.js';
import { UsageError } from './usage-error.js';

const FLAGS = { ...KEY_FILE_FLAG } as const;

export const keysRevoke: Command = {
  name: 'keys revoke',
  usage: 'ID [flags]',
  description:
    'Takes an API key out of a key file. Within two seconds, a server that uses the file refuses the key and ends the calls\n' +
    'under way that it let in, streams too.',
  flags: FLAGS,
  examples: ['keys revoke search --file keys.yaml'],
  async run(argv, context) {
    const { values, positionals } = parseFlags(FLAGS, argv);
    const [id, ...others] = positionals;
    if (id === undefined || others.length > 0) throw new UsageError('give the id of one key');
    const path = keyFilePath(values.file, context);
    await editKeyFile(path, { creates: false }, async ({ text, file }) => {
      const at = file.keys.findIndex((entry) => entry.id === id);
      if (at === -1) throw new UsageError(`there is no key of that id in ${path}`);
      return withoutEntry(text, at);
    });
    context.stderr.write(`Revoked ${id} in ${path}\n`);
    return EXIT.ok;
  },
};
