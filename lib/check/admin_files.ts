/**
 * The admin listener and its token, as far as this host shows.
 *
 * @module
 */

import { errorAt, type Finding } from "../settings/finding.ts";
import { RISKS } from "../settings/risks.ts";
import type { Configuration } from "../settings/table.ts";
import { ExitError } from "./exit_error.ts";
import { PemFileError, readPemFile } from "./host_files.ts";
import { findReadableSecret } from "./readable_secret.ts";

/** What was found. */
export interface AdminInspection {
  readonly findings: readonly Finding[];
  /** Absent where there is none, or it is not known. */
  readonly adminToken?: string;
}

/** Of what `openssl rand -hex 16` writes: 128 bits. */
const MIN_TOKEN_LENGTH = 32;

/** Looks at it; a file that Deno does not permit to read is passed over. */
export async function inspectAdmin({ admin }: Configuration): Promise<AdminInspection> {
  if (admin === undefined) return { findings: [] };
  const beyond = [...riskOf(admin)];
  if (admin.tokenFile === undefined) return { findings: beyond };
  const { findings, token } = await readToken(admin.tokenFile);
  return { findings: [...beyond, ...findings], ...token !== undefined && { adminToken: token } };
}

function* riskOf({ unix, host, tls }: NonNullable<Configuration["admin"]>): Generator<Finding> {
  if (unix !== undefined || tls || host.startsWith("127.") || host === "::1") return;
  const { title, instead } = RISKS["admin-beyond-loopback"];
  const message = `${title}. ${instead}`;
  yield { severity: "risk", risk: "admin-beyond-loopback", path: ["admin", "host"], value: host, message };
}

async function readToken(path: string): Promise<{ readonly findings: readonly Finding[]; readonly token?: string }> {
  const key = ["admin", "tokenFile"];
  if ((await Deno.permissions.query({ name: "read", path })).state !== "granted") return { findings: [] };
  try {
    const { text, mode } = await readPemFile(path, key);
    const token = text.trim();
    if (token.length < MIN_TOKEN_LENGTH || !/^[\x21-\x7e]+$/.test(token)) {
      const message = `${path} holds no token of at least ${MIN_TOKEN_LENGTH} letters, digits or signs`;
      return { findings: [{ ...errorAt(key, message), hint: `(umask 077; openssl rand -hex 32 > ${path})` }] };
    }
    return { findings: findReadableSecret(path, mode, key), token };
  } catch (error) {
    if (!(error instanceof ExitError)) throw error;
    const where = error instanceof PemFileError ? error.path : key;
    return { findings: [{ severity: "error", path: where, message: error.message, hint: error.hint }] };
  }
}
