/**
 * The files of the server's certificate, and of the CA of its clients.
 *
 * @module
 */

import type { KeyPath } from "../settings/key_path.ts";
import { modeBits } from "../mode_bits.ts";
import { EXIT_STATUS, ExitError, type ExitStatus } from "./exit_error.ts";
import { pathPermissionMissing } from "./permissions.ts";
import { NotRegularFileError, readRegularFile } from "./read_file.ts";
import { shellWord } from "./shell_word.ts";

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
  await requirePathPermission("read", path);
  try {
    const { bytes, info } = await readRegularFile(path, { signal });
    return { text: new TextDecoder().decode(bytes), mode: modeBits(info.mode, Deno.build.os) };
  } catch (error) {
    throw explainFailure(error, path, key);
  }
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
    const hint = key[1] !== "clientCertificates" ? "ftpsd cert makes a pair" : look(path);
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
