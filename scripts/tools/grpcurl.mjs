import { buildGoPrograms } from './go-programs.mjs';

const grpcurlPackage = 'github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.3';

/**
 * Builds grpcurl with the Go toolchain of this machine.
 *
 * @returns {Promise<string>} empty when done, else why not
 */
export function provideGrpcurl() {
  return buildGoPrograms([grpcurlPackage], { goVersion: '1.21' });
}
