/** A model that cannot be taken from where it is, in words for the person who asked for it. */
export class SourceError extends Error {
  override readonly name: string = 'SourceError';
}

/** A server that holds models could not be reached, or did not give what was asked for. */
export class RegistryError extends SourceError {}

/** The same, of the Hugging Face Hub. */
export class HubError extends RegistryError {}

/** What was asked for cannot be a source, now or later: it is misspelt, or a variable that it needs is missing or wrong. */
export class UnusableSourceError extends SourceError {}
