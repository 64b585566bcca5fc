import type { Readiness } from '../admin/admin-server.js';

/** What of readiness is asked for. */
export interface ReadinessParts {
  /** Whether the gRPC port is open: everything before it has started then. */
  readonly isListening: boolean;
  /** Of the models that are known so far. */
  readonly models: Readiness;
}

/** Whether to send calls here: the start is over, with the port open, and the models serve. */
export function readinessOf({ isListening, models }: ReadinessParts): Readiness {
  if (isListening) return models;
  // While models are being loaded, those that serve already say nothing of the others.
  return {
    ready: false,
    reasons: [...models.reasons, 'the server is starting: its gRPC port is not open yet'],
  };
}
