/**
 * Reading files of the host that a configuration names: those of the server's certificate, and of the CA of its clients.
 *
 * @module
 */

import { abortable, Watchdog } from "../deadline.ts";
import { modeBits } from "../mode_bits.ts";
import type { Finding } from "../settings/finding.ts";
import type { KeyPath } from "../settings/key_path.ts";
import { revocationListsAsPem } from "../transport/revocation_list.ts";
import { EXIT_STATUS, ExitError, type ExitStatus, shellWord } from "./exit_error.ts";
import { pathPermissionMissing } from "./permissions.ts";
import { close, constants, fstat, open, read } from "node:fs";
import { promisify } from "node:util";

/** Paths of the files of a certificate. */
export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
}

/** What the files of a certificate hold. */
export interface CertificateContents {
  /** Certificate chain, PEM. */
  readonly certificate: string;
  /** Private key, PEM. */
  readonly key: string;
  /** Mode bits of the key's file; `undefined` where there are none, as on Windows. */
  readonly keyMode: number | undefined;
}

/** A file of PEM texts that cannot be read; status 2 when it is missing. */
export class PemFileError extends ExitError {
  override readonly name = "PemFileError";
  /** The key that names the file, such as `["tls", "key"]`. */
  readonly path: KeyPath;

  constructor(path: KeyPath, status: ExitStatus, message: string, hint: string, options?: ErrorOptions) {
    super(status, message, hint, options);
    this.path = path;
  }
}

/**
 * Reads a certificate and its key. What they hold is not looked at.
 *
 * @param signal Ends the wait.
 * @throws {PemFileError} About the first file that cannot be read.
 * @throws {StartError} When Deno does not permit to read it.
 */
export async function readCertificateFiles(
  files: CertificateFiles,
  signal?: AbortSignal,
): Promise<CertificateContents> {
  const { text } = await readPemFile(files.certificate, ["tls", "certificate"], signal);
  const { text: keyText, mode } = await readPemFile(files.key, ["tls", "key"], signal);
  return { certificate: text, key: keyText, keyMode: mode };
}

/**
 * Reads a file of PEM texts, as that of a CA.
 *
 * @param key The key that names the file.
 * @param signal Ends the wait.
 * @throws {PemFileError} When it cannot be read.
 * @throws {StartError} When Deno does not permit to read it.
 */
export async function readPemFile(
  path: string,
  key: KeyPath,
  signal?: AbortSignal,
): Promise<{ readonly text: string; readonly mode: number | undefined }> {
  const { bytes, info } = await readNamedFile(path, key, signal);
  return { text: new TextDecoder().decode(bytes), mode: modeBits(info.mode, Deno.build.os) };
}

/**
 * Reads a file of text for a check: what is wrong with it is a finding. What Deno does not permit to read is passed over.
 *
 * @param key The key that names the file.
 * @returns `undefined` where there is nothing to look at.
 */
export async function readForCheck(
  path: string | undefined,
  key: KeyPath,
  findings: Finding[],
): Promise<{ readonly text: string; readonly mode: number | undefined } | undefined> {
  if (path === undefined || (await Deno.permissions.query({ name: "read", path })).state !== "granted") {
    return undefined;
  }
  try {
    return await readPemFile(path, key);
  } catch (error) {
    if (!(error instanceof ExitError)) throw error;
    const where = error instanceof PemFileError ? error.path : key;
    findings.push({ severity: "error", path: where, message: error.message, hint: error.hint });
    return undefined;
  }
}

async function readNamedFile(path: string, key: KeyPath, signal: AbortSignal | undefined): Promise<FileContents> {
  await requirePathPermission("read", path);
  try {
    return await readRegularFile(path, { signal });
  } catch (error) {
    throw explainFailure(error, path, key);
  }
}

/**
 * Reads a file of revocation lists, in PEM or DER, as PEM.
 *
 * @throws As {@linkcode readPemFile}.
 */
export async function readRevocationFile(path: string, key: KeyPath, signal?: AbortSignal): Promise<string> {
  const { bytes } = await readNamedFile(path, key, signal);
  return revocationListsAsPem(bytes);
}

/**
 * Makes sure that Deno lets a path be used.
 *
 * @throws {StartError} Naming the flag that is missing.
 */
export async function requirePathPermission(name: "read" | "write", path: string): Promise<void> {
  const { state } = await Deno.permissions.query({ name, path });
  if (state === "granted") return;
  throw pathPermissionMissing(name, path);
}

function explainFailure(error: unknown, path: string, key: KeyPath): unknown {
  if (error instanceof NotRegularFileError) {
    return new PemFileError(key, EXIT_STATUS.badUsage, `not a file: ${path}`, look(path), { cause: error });
  }
  if (error instanceof Deno.errors.NotFound) {
    const isOfServer = key[0] === "tls" && key[1] !== "clientCertificates";
    const hint = isOfServer ? "ftpsd cert makes a pair" : look(path);
    return new PemFileError(key, EXIT_STATUS.badUsage, `no such file: ${path}`, hint, { cause: error });
  }
  if (error instanceof Deno.errors.NotCapable) return pathPermissionMissing("read", path, error);
  const hint = error instanceof Deno.errors.PermissionDenied
    ? `make it readable for the user who runs the server: ls -l ${shellWord(path)}`
    : look(path);
  return new PemFileError(key, EXIT_STATUS.couldNotRun, `cannot read ${path}`, hint, { cause: error });
}

function look(path: string): string {
  return `ls -l ${shellWord(path)}`;
}

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
  signal.throwIfAborted();
  return await abortable(readWhole(path, signal), signal);
}

async function readWhole(path: string, signal: AbortSignal): Promise<FileContents> {
  // Looked at before it is opened: some devices act on being opened.
  const info = await Deno.stat(path);
  if (!info.isFile) throw new NotRegularFileError(`Cannot read "${path}": it is no regular file`);
  signal.throwIfAborted();
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
