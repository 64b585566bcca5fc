/** From a memory hit to a call at its deadline, in seconds. */
export const latencySeconds = [
  0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

/** From a memory hit to a long stream, in seconds. */
export const callSeconds = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60, 600,
];

export const batchItems = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];

export const batchTokens = [16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16_384, 32_768];
