/** A file that a source offers. */
export interface SourceFile {
  /** Below the root of the source, with slashes. */
  readonly path: string;
  readonly bytes: number;
}

export interface CopyOptions {
  readonly signal: AbortSignal;
  /** @param bytes how much of the file is there by now */
  readonly onProgress: (bytes: number) => void;
}

/** Where a model comes from: a folder, or a repository of the Hugging Face Hub. */
export interface ModelSource {
  /** As users write it: `hf://org/name`, or the path of a folder. */
  readonly name: string;
  /** What it is called in the last part of its name. */
  readonly shortName: string;
  /** The commit that its files are of; undefined: a folder has none. */
  readonly commit: string | undefined;
  readonly files: readonly SourceFile[];
  /**
   * Puts the whole content of a file at `target`, which must not exist.
   * @throws SourceError in words; the file system's errors; the signal's reason
   */
  copy(file: SourceFile, target: string, options: CopyOptions): Promise<void>;
}
