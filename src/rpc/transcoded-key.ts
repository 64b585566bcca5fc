/** Metadata that Envoy's gRPC-JSON transcoder sets: the caller speaks HTTP and sees neither status nor trailers. */
export const transcodedKey = 'x-envoy-original-path';
