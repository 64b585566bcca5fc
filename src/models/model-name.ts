/** What a model's name must match, in its folder and in requests. */
export const modelNamePattern = /^[a-z0-9][a-z0-9._-]{0,63}$/;
