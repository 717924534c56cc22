/**
 * Open files of the host, checked to be regular and inside the root once they are open.
 *
 * They are opened through `node:fs`, since only that can ask for O_NONBLOCK: a FIFO put in a file's place between look-up
 * and opening would otherwise hang the server. Its `fstat` also works where the runtime's permissions name the root by a
 * link.
 *
 * @module
 */

import {
  closeSync,
  constants,
  fstatSync,
  fsync,
  ftruncateSync,
  openSync,
  read,
  readSync,
  type Stats,
  writeSync,
} from "node:fs";
import type { Containment } from "./containment.ts";
import type { ReadableFile, WritableFile } from "./filesystem.ts";
import { FileSystemError } from "./filesystem_error.ts";
import { asFileSystemError, onHost } from "./host_error.ts";

/** Flag of {@linkcode openRegular} for reading. */
export const READ: number = constants.O_RDONLY;

/** Flag of {@linkcode openRegular} for writing. */
export const WRITE: number = constants.O_WRONLY;

/** Flags of {@linkcode openRegular} for writing at the end, wherever that is then. */
export const APPEND: number = constants.O_WRONLY | constants.O_APPEND;

/** What is read at once, since a thread for it would take longer; looking the file up took as much of the disk's time. */
const LARGEST_SYNCHRONOUS_READ = 64 * 1024;

/** An open file, closed by whoever opened it or took it over. */
export interface OpenFile {
  /** Descriptor. */
  readonly fd: number;
  /** Attributes when it was opened. */
  readonly stats: Stats;
}

/** Throws unless what is at a place is a regular file: kinds `"isDirectory"`, `"notRegularFile"`. */
export function assertRegular(info: { readonly isFile: boolean; readonly isDirectory: boolean }): void {
  if (info.isDirectory) throw new FileSystemError("isDirectory", "Cannot open a directory as a file");
  if (!info.isFile) throw new FileSystemError("notRegularFile", "Cannot open a FIFO, device or socket");
}

/**
 * Opens an existing regular file without changing it, whatever it may be.
 *
 * @param hostPath As found by `containment`, and known to be a regular file then.
 * @throws {FileSystemError} Kind `"notFound"` when what was opened is not inside the root.
 */
export function openRegular(containment: Containment, hostPath: string, flags: number): OpenFile {
  const fd = openSync(hostPath, withoutSurprise(flags));
  try {
    const stats = fstatSync(fd);
    if (!containment.holdsFile(hostPath, stats)) throw movedOutside();
    assertRegular({ isFile: stats.isFile(), isDirectory: stats.isDirectory() });
    return { fd, stats };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/**
 * Creates a file for writing.
 *
 * @param hostPath Of an entry found by `containment`.
 * @param mode Permission bits, of which the process's umask takes away some.
 * @throws {FileSystemError} Kind `"notFound"` when it came to be outside the root; it was removed again then,
 * if it could be reached.
 */
export function createRegular(containment: Containment, hostPath: string, mode: number): OpenFile {
  const fd = openSync(hostPath, withoutSurprise(constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL), mode);
  const stats = fstatSync(fd);
  if (containment.holdsFile(hostPath, stats)) return { fd, stats };
  try {
    // The path may lead here and there in turn
    for (let tries = 0; tries < 32 && fstatSync(fd).nlink > 0; tries++) removeCreated(hostPath, stats);
  } finally {
    closeSync(fd);
  }
  throw movedOutside();
}

/**
 * Creates a directory.
 *
 * @param hostPath Of an entry found by `containment`.
 * @param mode Permission bits, of which the process's umask takes away some.
 * @throws {FileSystemError} Kind `"notFound"` when it came to be outside the root; it was removed again then.
 */
export function createDirectory(containment: Containment, hostPath: string, mode: number): void {
  Deno.mkdirSync(hostPath, { mode });
  if (containment.holds(hostPath)) return;
  if (Deno.lstatSync(hostPath).isDirectory) Deno.removeSync(hostPath);
  throw movedOutside();
}

/** A file of the host open for reading. */
export class LocalReadableFile implements ReadableFile {
  readonly size: number;
  readonly #path: string;
  readonly #descriptor: Descriptor;
  #position: number;

  /** Takes over the open file; reading starts at `offset` bytes. */
  constructor(path: string, file: OpenFile, offset: number) {
    this.#path = path;
    this.#descriptor = new Descriptor(file.fd);
    this.#position = offset;
    this.size = file.stats.size;
  }

  async read(buffer: Uint8Array): Promise<number | null> {
    const count = buffer.length <= LARGEST_SYNCHRONOUS_READ
      ? onHost(this.#path, () => readSync(this.#descriptor.fd, buffer, 0, buffer.length, this.#position))
      : await this.#descriptor.use<number>(this.#path, (fd, done) => {
        read(fd, buffer, 0, buffer.length, this.#position, done);
      });
    this.#position += count;
    return count === 0 ? null : count;
  }

  close(): void {
    this.#descriptor.close();
  }
}

/** A file of the host open for writing. */
export class LocalWritableFile implements WritableFile {
  readonly #path: string;
  readonly #descriptor: Descriptor;
  /** Where the next bytes go; `null`: where the system has it. */
  #position: number | null = null;

  /** Takes over the open file; `claim` is disposed of when it is closed. */
  constructor(path: string, file: OpenFile, claim: Disposable) {
    this.#path = path;
    this.#descriptor = new Descriptor(file.fd, claim);
  }

  /** Goes on at `offset` bytes from the beginning. */
  seek(offset: number): void {
    this.#position = offset;
  }

  /** Empties the file. */
  truncate(): void {
    onHost(this.#path, () => ftruncateSync(this.#descriptor.fd));
  }

  write(bytes: Uint8Array): Promise<void> {
    return Promise.try(() =>
      onHost(this.#path, () => {
        const { fd } = this.#descriptor;
        for (let written = 0; written < bytes.length;) {
          const count = writeSync(fd, bytes, written, bytes.length - written, this.#position);
          written += count;
          if (this.#position !== null) this.#position += count;
        }
      })
    );
  }

  sync(): Promise<void> {
    return this.#descriptor.use<void>(this.#path, (fd, done) => fsync(fd, done));
  }

  close(): void {
    this.#descriptor.close();
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

function removeCreated(hostPath: string, stats: Stats): void {
  try {
    const { ino, dev } = Deno.lstatSync(hostPath);
    if (ino === stats.ino && dev === stats.dev) Deno.removeSync(hostPath);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function withoutSurprise(flags: number): number {
  // Windows has neither flag
  return flags | (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0);
}

function movedOutside(): FileSystemError {
  return new FileSystemError("notFound", "Cannot use file: it was moved outside the root meanwhile");
}
