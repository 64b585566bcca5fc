import { buildGoPrograms } from './go-programs.mjs';

// Two releases of it write two documents, so the programs carry the version in their names: one of another version
// on the PATH is not taken for them. openapi/buf.gen.yaml names the plugin too.
const version = 'v2.33.0';

/** The protoc plugin of grpc-gateway that describes services with HTTP bindings as OpenAPI 3.1. */
export const openapiPlugin = `protoc-gen-openapiv3-${version}`;

/** Makes one document of those that the plugin writes, one for each proto file. */
export const openapiMerge = `openapiv3-merge-${version}`;

/**
 * Builds both with the Go toolchain of this machine.
 *
 * @returns {Promise<string>} empty when done, else why not
 */
export function provideOpenapiGenerator() {
  const programs = ['protoc-gen-openapiv3', 'openapiv3-merge'];
  const packages = programs.map((name) => `github.com/grpc-ecosystem/grpc-gateway/v2/${name}@${version}`);
  return buildGoPrograms(packages, { goVersion: '1.26', suffix: `-${version}` });
}
