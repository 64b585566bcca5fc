/** Whether a path that a server lists stays below the folder that it is put into, on any system. */
export function isSafePath(path: unknown): path is string {
  return (
    typeof path === 'string' &&
    path.length < 1024 &&
    !/[\\:\p{Cc}]/u.test(path) &&
    path.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
  );
}
