/** A model that cannot be taken from where it is, in words for the person who asked for it. */
export class SourceError extends Error {
  override readonly name = 'SourceError';
}

/** The Hub could not be reached, or did not give what was asked for. */
export class HubError extends SourceError {}
