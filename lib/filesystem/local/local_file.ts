/**
 * Files of the host that are open for reading or writing.
 *
 * @module
 */

import {
  closeSync,
  fchmodSync,
  fstatSync,
  fsync,
  ftruncateSync,
  openSync,
  read,
  readSync,
  type Stats,
  writeSync,
} from "node:fs";
import { FileSystemError, type FinishOptions, type ReadableFile, type WritableFile } from "../filesystem.ts";
import { asFileSystemError, onHost } from "./host_error.ts";
import { HOST_RULES, parentHostPath } from "./host_path.ts";
import type { Lease } from "../../shared_port.ts";
import { assertNotLost, nonBlockingNoFollow, type OpenFile, READ, removeIfSame } from "./open_file.ts";

/** What is read at once, since a thread for it would take longer; looking the file up took as much of the disk's time. */
const MAX_SYNCHRONOUS_READ = 64 * 1024;

const PERMISSION_BITS = 0o777;

/** A file of the host open for reading. */
export class LocalReadableFile implements ReadableFile {
  readonly size: number;
  readonly #path: string;
  readonly #descriptor: Descriptor;
  #position: number;
  /** Whether a read has found the end where it was when the file was opened. */
  #isAtEnd = false;

  /** Takes over the open file; reading starts at `offset` bytes. */
  constructor(path: string, file: OpenFile, offset: number) {
    this.#path = path;
    this.#descriptor = new Descriptor(file.fd);
    this.#position = offset;
    this.size = file.stats.size;
  }

  async read(buffer: Uint8Array): Promise<number | null> {
    if (this.#isAtEnd) return null;
    const count = buffer.length <= MAX_SYNCHRONOUS_READ
      ? onHost(this.#path, () => readSync(this.#descriptor.fd, buffer, 0, buffer.length, this.#position))
      : await this.#descriptor.use<number>(this.#path, (fd, done) => {
        read(fd, buffer, 0, buffer.length, this.#position, done);
      });
    this.#position += count;
    // Elsewhere a read may stop early: before the end, in files that are longer than they say, and on some network mounts
    this.#isAtEnd = count < buffer.length && this.#position === this.size;
    return count === 0 ? null : count;
  }

  close(): void {
    this.#descriptor.close();
  }
}

/** A file of the host open for writing. */
export class LocalWritableFile implements WritableFile {
  readonly #path: string;
  readonly #hostPath: string;
  readonly #opened: Stats;
  readonly #descriptor: Descriptor;
  readonly #claim: Lease;
  /** Where the next bytes go; `null`: where the system has it. */
  #position: number | null = null;
  /** Least size that the file must have in the end. */
  #end: number;
  /** Whether the old content is still there, and has to go. */
  #mustTruncate = false;
  /** Whether the file is to be removed if nothing comes. */
  #isUnused = false;

  /**
   * Takes over the open file; `claim` is disposed of when it is closed.
   *
   * @param hostPath Where it was opened.
   */
  constructor(path: string, hostPath: string, file: OpenFile, claim: Lease) {
    this.#path = path;
    this.#hostPath = hostPath;
    this.#opened = file.stats;
    this.#descriptor = new Descriptor(file.fd, claim);
    this.#claim = claim;
    this.#end = file.stats.size;
  }

  /** Goes on at `offset` bytes from the beginning. */
  seek(offset: number): void {
    this.#position = offset;
    this.#end = offset;
  }

  /** Empties the file as soon as something is written, or the writing ends. */
  truncate(): void {
    this.#mustTruncate = true;
    this.#end = 0;
  }

  /** Removes the file, which was created for this, when it is closed before anything is written or the writing ends. */
  removeIfUnused(): void {
    this.#isUnused = true;
  }

  /** Sets the permission bits of the file, unless it has them. */
  setMode(mode: number): void {
    onHost(this.#path, () => {
      const { fd } = this.#descriptor;
      if ((fstatSync(fd).mode & PERMISSION_BITS) !== mode) fchmodSync(fd, mode);
    });
  }

  #truncateNow(): void {
    if (!this.#mustTruncate) return;
    ftruncateSync(this.#descriptor.fd);
    this.#mustTruncate = false;
  }

  write(bytes: Uint8Array): Promise<void> {
    return Promise.try(() =>
      onHost(this.#path, () => {
        const { fd } = this.#descriptor;
        assertNotLost(this.#claim, this.#path);
        if (bytes.length > 0) this.#truncateNow();
        for (let written = 0; written < bytes.length;) {
          const count = writeSync(fd, bytes, written, bytes.length - written, this.#position);
          this.#isUnused = false;
          written += count;
          this.#end += count;
          if (this.#position !== null) this.#position += count;
        }
      })
    );
  }

  async finish(options: Partial<FinishOptions> = {}): Promise<void> {
    await this.complete(options);
    if (options.sync) await syncDirectory(this.#path, parentHostPath(this.#hostPath, HOST_RULES));
  }

  /**
   * Makes sure that the file has a name and holds what was written, with `sync` on stable storage, wherever its name is.
   *
   * @throws {FileSystemError} Kind `"notFound"`, `"busy"`.
   */
  async complete({ sync = false }: Partial<FinishOptions>): Promise<void> {
    assertNotLost(this.#claim, this.#path);
    onHost(this.#path, () => this.#truncateNow());
    if (sync) await this.#descriptor.use<void>(this.#path, (fd, done) => fsync(fd, done));
    const { nlink, size } = onHost(this.#path, () => fstatSync(this.#descriptor.fd));
    // Some network file systems count no links
    if (nlink === 0 && this.#opened.nlink > 0) {
      throw new FileSystemError("notFound", `Cannot finish "${this.#path}": it was removed while it was written`);
    }
    if (size < this.#end) {
      throw new FileSystemError("busy", `Cannot finish "${this.#path}": it was made shorter while it was written`);
    }
    this.#isUnused = false;
    assertNotLost(this.#claim, this.#path); // since the first time: nobody is told that it is done
  }

  close(): void {
    // Before the claim ends, so that nobody writes it meanwhile
    if (this.#isUnused) this.#remove();
    this.#descriptor.close();
  }

  #remove(): void {
    this.#isUnused = false;
    try {
      removeIfSame(this.#hostPath, this.#opened);
    } catch {
      // The right to change the directory was taken away, say: it stays, empty
    }
  }
}

/**
 * Resolves when the names in a directory are on stable storage. Windows, and file systems that cannot be asked for it, do
 * it by themselves or not at all.
 */
export async function syncDirectory(path: string, hostPath: string): Promise<void> {
  if (Deno.build.os === "windows") return;
  const directory = new Descriptor(onHost(path, () => openSync(hostPath, nonBlockingNoFollow(READ))));
  try {
    await directory.use<void>(path, (fd, done) => fsync(fd, (error) => done(isUnsupported(error) ? null : error)));
  } finally {
    directory.close();
  }
}

type Done<T> = (error: Error | null, value: T) => void;

/** Keeps a descriptor open while an operation on it runs: its number may be another file's as soon as it is closed. */
class Descriptor {
  readonly #fd: number;
  readonly #claim: Disposable | undefined;
  #running = 0;
  #closing = false;

  constructor(fd: number, claim?: Disposable) {
    this.#fd = fd;
    this.#claim = claim;
  }

  get fd(): number {
    if (this.#closing) throw new TypeError("Cannot use file: it is closed");
    return this.#fd;
  }

  use<T>(path: string, start: (fd: number, done: Done<T>) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      start(this.fd, (error, value) => {
        this.#running--;
        if (this.#closing) this.#release();
        error ? reject(asFileSystemError(error, path)) : resolve(value);
      });
      this.#running++;
    });
  }

  close(): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#release();
  }

  #release(): void {
    if (this.#running > 0) return;
    closeSync(this.#fd);
    this.#claim?.[Symbol.dispose]();
  }
}

function isUnsupported(error: Error | null): boolean {
  return error !== null && "code" in error && error.code === "EINVAL";
}
