import type { Identity } from '../auth/identity.js';
import { modelNotPermitted } from '../auth/refusals.js';

/** Which models a caller may use. */
export class ModelAccess {
  readonly #defaultModel: string;

  /** @param defaultModel the model of requests that name none */
  constructor(defaultModel: string) {
    this.#defaultModel = defaultModel;
  }

  /**
   * Asks before anybody looks the model up, so that the answer tells nothing of which models there are.
   * @param identity undefined: callers have none, and may use all models
   * @param model empty: the default one
   * @throws VerdictError permission_denied
   */
  check(identity: Identity | undefined, model: string): void {
    if (identity !== undefined && !identity.mayUse(model === '' ? this.#defaultModel : model))
      throw modelNotPermitted();
  }

  /**
   * Asks for all models, those that come later too.
   * @param identity undefined: callers have none, and may use all models
   * @throws VerdictError permission_denied
   */
  checkAll(identity: Identity | undefined): void {
    if (identity?.mayUseAll === false) throw modelNotPermitted();
  }
}
