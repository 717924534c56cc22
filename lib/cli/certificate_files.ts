/**
 * The files of the server's certificate, and of the CA of its clients.
 *
 * @module
 */

import type { CertificateFiles } from "../config/configuration.ts";
import { EXIT_STATUS, ExitError, UsageError } from "./exit_error.ts";
import { pathPermissionMissing } from "./permissions.ts";
import { shellWord } from "./shell_word.ts";

/** What stands in the files of a certificate. */
export interface CertificateContents {
  /** Certificate chain, PEM. */
  readonly certificate: string;
  /** Private key, PEM. */
  readonly key: string;
  /** Mode bits of the key's file; `undefined` where there are none, as on Windows. */
  readonly keyMode: number | undefined;
}

/** Where the names of the files come from, for messages. */
export interface CertificateOrigins {
  /** @default {"tls.certificate"} */
  readonly certificate?: string;
  /** @default {"tls.key"} */
  readonly key?: string;
}

/**
 * Reads a certificate and its key. What they hold is not looked at.
 *
 * @throws {ExitError} One line about the file that cannot be read, with status 2 when it is missing.
 */
export async function readCertificateFiles(
  files: CertificateFiles,
  origins: CertificateOrigins = {},
): Promise<CertificateContents> {
  const { certificate = "tls.certificate", key = "tls.key" } = origins;
  const { text } = await readPemFile(files.certificate, certificate);
  const { text: keyText, mode } = await readPemFile(files.key, key);
  return { certificate: text, key: keyText, keyMode: mode };
}

/**
 * Reads a file of PEM texts, as that of a CA.
 *
 * @param origin The key or option that names the file.
 * @throws {ExitError} One line saying why it cannot be read, with status 2 when it is missing.
 */
export async function readPemFile(
  path: string,
  origin: string,
): Promise<{ readonly text: string; readonly mode: number | undefined }> {
  await requirePathPermission("read", path);
  try {
    // Looked at before it is opened: a pipe would be waited for.
    const { isFile, mode } = await Deno.stat(path);
    if (!isFile) throw new UsageError(`not a file: ${path} (${origin})`);
    // The mode is not asked of an open file: of a link's target, as certbot has them, that is another permission.
    return { text: await Deno.readTextFile(path), mode: mode ?? undefined };
  } catch (error) {
    throw explainFailure(error, path, origin);
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

function explainFailure(error: unknown, path: string, origin: string): unknown {
  if (error instanceof ExitError) return error;
  if (error instanceof Deno.errors.NotFound) {
    return new UsageError(`no such file: ${path} (${origin})`, "ftpsd cert makes a pair", { cause: error });
  }
  if (error instanceof Deno.errors.NotCapable) return pathPermissionMissing("read", path, error);
  const hint = error instanceof Deno.errors.PermissionDenied
    ? `make it readable for the user who runs the server: ls -l ${shellWord(path)}`
    : `check the file: ls -l ${shellWord(path)}`;
  return new ExitError(EXIT_STATUS.couldNotRun, `cannot read ${path} (${origin})`, hint, { cause: error });
}
