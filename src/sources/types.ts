import type { DownloadFolder } from './download-folder.js';

/** A file that a source offers. */
export interface SourceFile {
  /** Below the root of the source, with slashes. */
  readonly path: string;
  readonly bytes: number;
}

export interface CopyOptions {
  readonly signal: AbortSignal;
  /** Where a source without a cache of its own keeps what it has of a file. */
  readonly downloads: DownloadFolder;
  /** @param bytes how much of the file is there by now */
  readonly onProgress: (bytes: number) => void;
}

/**
 * What a source says of the content that it offers, for `origin.json`: the `commit` of the Hub, else a `revision` that changes with the
 * content, and facts for people.
 */
export type Origin = Readonly<Record<string, string>>;

/** Where a model comes from: a folder, the Hugging Face Hub, MLflow or S3. */
export interface ModelSource {
  /** As users write it: `hf://org/name`, or the path of a folder. */
  readonly name: string;
  /** What it is called in the last part of its name. */
  readonly shortName: string;
  /** Undefined: a folder that was named by its path says nothing. */
  readonly origin: Origin | undefined;
  readonly files: readonly SourceFile[];
  /**
   * Puts the whole content of a file at `target`, which must not exist.
   * @throws SourceError in words; the file system's errors; the signal's reason
   */
  copy(file: SourceFile, target: string, options: CopyOptions): Promise<void>;
}
