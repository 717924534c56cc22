/**
 * Files in memory and the space they take.
 *
 * @module
 */

import { FileSystemError, type ReadableFile, type WritableFile, type WriteMode } from "../filesystem.ts";

/** A file in memory. */
export interface FileNode {
  /** Distinguishes it from a directory. */
  readonly type: "file";
  /** Distinguishes it from any other file or directory. */
  readonly id: number;
  /** What the file holds in its first `size` bytes, then room to grow. */
  bytes: Uint8Array;
  /** Bytes. */
  size: number;
  /** Time of last modification. */
  modified: Date;
  /** Permission bits. */
  mode: number;
  /** Whether it has a writer. */
  isWritten: boolean;
  /** Whether it has lost its name. */
  isRemoved: boolean;
}

/** Counts the bytes of all files and keeps them within a bound. */
export class Volume {
  /** Clock for modification times. */
  readonly now: () => Date;
  readonly #maxBytes: number;
  #bytes = 0;

  /** Makes an empty volume for up to `maxBytes` bytes. */
  constructor(maxBytes: number, now: () => Date) {
    this.#maxBytes = maxBytes;
    this.now = now;
  }

  /** Bytes within the bound. */
  get freeBytes(): number {
    return Math.min(this.#maxBytes - this.#bytes, Number.MAX_SAFE_INTEGER);
  }

  /**
   * Makes a file longer, with zeros, or shorter.
   *
   * @throws {FileSystemError} Kind `"noSpace"` when the bound is exceeded; the file stays as it is.
   */
  resize(file: FileNode, size: number): void {
    const total = this.#bytes - file.size + size;
    if (total > this.#maxBytes) throw new FileSystemError("noSpace", `Cannot hold more than ${this.#maxBytes} bytes`);
    if (size > file.bytes.length) file.bytes = grown(file.bytes, size);
    // The space that the bound counts as free is released, not kept for later.
    if (size < file.bytes.length / 4) file.bytes = file.bytes.slice(0, size);
    else if (size < file.size) file.bytes.fill(0, size, file.size);
    file.size = size;
    file.modified = this.now();
    this.#bytes = total;
  }

  /** Releases the space of a file that has lost its name, once nobody writes it any more. */
  releaseSpace(file: FileNode): void {
    file.isRemoved = true;
    if (!file.isWritten) this.#bytes -= file.size;
  }
}

/** A file in memory open for reading. */
export class MemoryReadableFile implements ReadableFile {
  readonly size: number;
  readonly #file: FileNode;
  #position: number;

  /** Reads `file` from `offset` bytes on. */
  constructor(file: FileNode, offset: number) {
    this.#file = file;
    this.#position = offset;
    this.size = file.size;
  }

  read(buffer: Uint8Array): Promise<number | null> {
    const end = Math.min(this.#position + buffer.length, this.#file.size);
    const count = end - this.#position;
    if (count <= 0) return Promise.resolve(null);
    buffer.set(this.#file.bytes.subarray(this.#position, end));
    this.#position = end;
    return Promise.resolve(count);
  }

  close(): void {}
}

/** A file in memory open for writing. */
export class MemoryWritableFile implements WritableFile {
  readonly #volume: Volume;
  readonly #file: FileNode;
  readonly #link: (() => void) | undefined;
  readonly #keep: (() => void) | undefined;
  /** Takes its name from a file that was made for this, until something comes. */
  #unlink: (() => void) | undefined;
  #position: number;
  /** Whether the old content is still there, and has to go. */
  #mustTruncate: boolean;
  #isClosed = false;
  #isWriter = false;
  #isLinked: boolean;

  /**
   * Becomes the writer of `file`.
   *
   * @param link Puts a file without a name under the one it is made for.
   * @param unlink Takes its name from a file that was made for this, for when nothing comes.
   * @param keep Takes over a file without a name whose writing was interrupted.
   * @throws {FileSystemError} Kind `"busy"` when the file has a writer.
   */
  constructor(
    volume: Volume,
    file: FileNode,
    mode: WriteMode,
    { link, unlink, keep }: {
      readonly link?: () => void;
      readonly unlink?: () => void;
      readonly keep?: () => void;
    } = {},
  ) {
    if (file.isWritten) throw new FileSystemError("busy", "Cannot open file for writing: it is being written");
    this.#link = link;
    this.#unlink = unlink;
    this.#keep = keep;
    this.#isLinked = link === undefined;
    this.#volume = volume;
    this.#file = file;
    this.#mustTruncate = mode === "truncate";
    this.#position = typeof mode === "object" ? mode.offset : this.#mustTruncate ? 0 : file.size;
    file.isWritten = true;
    this.#isWriter = true;
  }

  write(bytes: Uint8Array): Promise<void> {
    return Promise.try(() => this.append(bytes));
  }

  /** Writes like {@linkcode MemoryWritableFile.write}, at once. */
  append(bytes: Uint8Array): void {
    if (this.#isClosed) throw new TypeError("Cannot write file: it is closed");
    if (bytes.length === 0) return;
    this.#truncateNow();
    const end = this.#position + bytes.length;
    this.#volume.resize(this.#file, Math.max(end, this.#file.size));
    this.#file.bytes.set(bytes, this.#position);
    this.#position = end;
    this.#unlink = undefined;
  }

  finish(): Promise<void> {
    return Promise.try(() => {
      if (this.#isClosed) throw new TypeError("Cannot finish file: it is closed");
      if (this.#file.isRemoved) throw new FileSystemError("notFound", "Cannot finish file: it was removed meanwhile");
      this.#truncateNow();
      this.#unlink = undefined;
      if (this.#isLinked) return;
      this.#link?.();
      this.#isLinked = true;
      this.#release();
    });
  }

  #truncateNow(): void {
    if (this.#mustTruncate) this.#volume.resize(this.#file, 0);
    this.#mustTruncate = false;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (!this.#file.isRemoved) this.#unlink?.();
    this.#release();
    if (!this.#isLinked && this.#keep !== undefined) return this.#keep();
    if (this.#file.isRemoved || !this.#isLinked) this.#volume.releaseSpace(this.#file);
  }

  /** Lets others write the file: once, since they may do so before this one is closed. */
  #release(): void {
    if (!this.#isWriter) return;
    this.#isWriter = false;
    this.#file.isWritten = false;
  }
}

function grown(bytes: Uint8Array, size: number): Uint8Array {
  try {
    const larger = new Uint8Array(Math.max(size, 2 * bytes.length));
    larger.set(bytes);
    return larger;
  } catch (error) {
    if (error instanceof RangeError) throw new FileSystemError("noSpace", "Cannot allocate memory", { cause: error });
    throw error;
  }
}
