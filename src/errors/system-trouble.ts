const IN_WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or directory',
  EACCES: 'permission denied',
  EPERM: 'the operation is not permitted',
  EROFS: 'the file system is read-only',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of the path is not a directory',
  ELOOP: 'it is a symbolic link that leads back to itself',
  ENAMETOOLONG: 'the path is too long',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the file would become too large',
  EIO: 'the device reports an error',
  EBADF: 'it is closed, or not open for this',
  ENXIO: 'it is a pipe that nobody reads, or a device that is not there',
  EMFILE: 'this process may open no more files',
  ENFILE: 'the system may open no more files',
};

/** What the operating system refused, in words and with its code. */
export function systemTrouble(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? String(error.code) : '';
  const words = IN_WORDS[code];
  return words === undefined ? error.message : `${words} (${code})`;
}

/** Whether the operating system refused something, as opposed to a defect. */
export function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && 'code' in error;
}
