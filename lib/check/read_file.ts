/**
 * Reading the files that an operator has named.
 *
 * @module
 */

import { close, constants, fstat, open, read } from "node:fs";
import { promisify } from "node:util";
import { abortable, Watchdog } from "../deadline.ts";

/** What a file holds. */
export interface FileContents {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Attributes just before it was read. */
  readonly info: Deno.FileInfo;
}

/** What is no file that can be read to its end: a folder, a pipe, a device. */
export class NotRegularFileError extends Error {
  override readonly name = "NotRegularFileError";
}

/** Longest wait for a file, in milliseconds: a file system whose server is away does not answer at all. */
const DEADLINE_MS = 10_000;
const MAX_BYTES = 64 << 20;
const PIECE_BYTES = 1 << 16;
/** A pipe that has taken the file's place is not waited for. Windows does not know `O_NONBLOCK`. */
const FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

const openFile = promisify(open);
const closeFile = promisify(close);
const statFile = promisify(fstat);

/**
 * Reads a regular file whole, off the event loop.
 *
 * @param options.signal Ends the wait.
 * @throws {NotRegularFileError} When it is none.
 * @throws {Deno.errors.NotFound} When there is none, and other errors of `Deno.stat`.
 * @throws {Error} When it cannot be read, not within 10 seconds, or has more than 64 MiB.
 * @throws The signal's reason.
 */
export async function readRegularFile(
  path: string,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<FileContents> {
  const late = new AbortController();
  using _deadline = new Watchdog(DEADLINE_MS, () => late.abort(new Error(`Cannot read "${path}": it does not answer`)));
  const signal = options.signal === undefined ? late.signal : AbortSignal.any([late.signal, options.signal]);
  return await abortable(readWhole(path, signal), signal);
}

async function readWhole(path: string, signal: AbortSignal): Promise<FileContents> {
  // Looked at before it is opened: some devices act on being opened.
  const info = await Deno.stat(path);
  if (!info.isFile) throw new NotRegularFileError(`Cannot read "${path}": it is no regular file`);
  const fd = await openFile(path, FLAGS);
  try {
    if (!(await statFile(fd)).isFile()) throw new NotRegularFileError(`Cannot read "${path}": it is no regular file`);
    return { bytes: await readToEnd(fd, signal), info };
  } finally {
    await closeFile(fd);
  }
}

async function readToEnd(fd: number, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  for (;;) {
    signal.throwIfAborted();
    const piece = new Uint8Array(PIECE_BYTES);
    const count = await readPiece(fd, piece);
    if (count === 0) break;
    pieces.push(piece.subarray(0, count));
    length += count;
    if (length > MAX_BYTES) throw new Error(`Cannot read more than ${MAX_BYTES} bytes of a file`);
  }
  return new Uint8Array(await new Blob(pieces).arrayBuffer());
}

function readPiece(fd: number, piece: Uint8Array): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  read(fd, piece, 0, piece.length, null, (error, count) => error === null ? resolve(count) : reject(error));
  return promise;
}
