/**
 * The secrets of one-time codes, as far as this host shows.
 *
 * @module
 */

import { findTotpSecretProblem } from "../accounts/second_factor.ts";
import { errorAt, type Finding } from "../settings/finding.ts";
import type { KeyPath } from "../settings/key_path.ts";
import type { Configuration } from "../settings/table.ts";
import { ExitError } from "./exit_error.ts";
import { PemFileError, readPemFile } from "./host_files.ts";
import { findReadableSecret } from "./readable_secret.ts";

/** What was found. */
export interface CodeSecretsInspection {
  readonly findings: readonly Finding[];
  /** By the name of the user; without those that are not known. */
  readonly codeSecrets: Readonly<Record<string, string>>;
}

/** Looks at them; a file that Deno does not permit to read is passed over. */
export async function inspectCodeSecrets({ users }: Configuration): Promise<CodeSecretsInspection> {
  const findings: Finding[] = [];
  const secrets: (readonly [string, string])[] = [];
  for (const [index, { name, totp }] of users.entries()) {
    if (totp?.secretFile === undefined) continue;
    const read = await readSecret(totp.secretFile, ["users", index, "totp", "secretFile"]);
    findings.push(...read.findings);
    if (read.secret !== undefined) secrets.push([name, read.secret]);
  }
  return { findings, codeSecrets: Object.fromEntries(secrets) };
}

async function readSecret(
  path: string,
  key: KeyPath,
): Promise<{ readonly findings: readonly Finding[]; readonly secret?: string }> {
  if ((await Deno.permissions.query({ name: "read", path })).state !== "granted") return { findings: [] };
  try {
    const { text, mode } = await readPemFile(path, key);
    const secret = text.trim();
    const problem = findTotpSecretProblem(secret);
    if (problem === undefined) return { findings: findReadableSecret(path, mode, key), secret };
    const message = `${path} holds no secret of codes: it ${problem}`;
    return { findings: [{ ...errorAt(key, message), hint: "ftpsd user totp NAME --config FILE" }] };
  } catch (error) {
    if (!(error instanceof ExitError)) throw error;
    const where = error instanceof PemFileError ? error.path : key;
    return { findings: [{ severity: "error", path: where, message: error.message, hint: error.hint }] };
  }
}
