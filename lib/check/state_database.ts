/**
 * The database of the state, as far as this host shows: where it is, who is trusted there, and who else can read that.
 *
 * @module
 */

import { type DatabaseAddress, parseDatabaseAddress } from "../state/postgres/database_address.ts";
import { errorAt, type Finding } from "../settings/finding.ts";
import type { KeyPath } from "../settings/key_path.ts";
import { RISKS } from "../settings/risks.ts";
import type { ConfigurationFiles } from "../server/configured_options.ts";
import type { Configuration } from "../settings/table.ts";
import { ExitError } from "./exit_error.ts";
import { PemFileError, readPemFile } from "./host_files.ts";

/** A database, and the authorities that are trusted there beside those of the system, PEM. */
export type StateDatabase = NonNullable<ConfigurationFiles["database"]>;

/** What was found about it. */
export interface StateDatabaseInspection {
  readonly findings: readonly Finding[];
  /** Absent where there is none, or it is not known. */
  readonly database?: StateDatabase;
}

const CA = ["state", "ca"];
const READABLE_BY_OTHERS = 0o004;

/** Reads the files that say where the database is; what Deno does not permit to read is passed over. Nothing is asked of it. */
export async function inspectStateDatabase({ state }: Configuration): Promise<StateDatabaseInspection> {
  const { type, urlFile, directUrlFile, ca } = state;
  if (type !== "postgres" || urlFile === undefined) return { findings: [] };
  const url = await readAddress(urlFile, ["state", "urlFile"]);
  const direct = directUrlFile === undefined ? undefined : await readAddress(directUrlFile, ["state", "directUrlFile"]);
  const authority = ca === undefined ? undefined : await readAuthority(ca);
  const findings = [url, direct, authority].flatMap((it) => it?.findings ?? []);
  const isKnown = url.address !== undefined && (direct === undefined || direct.address !== undefined) &&
    (authority === undefined || authority.text !== undefined);
  if (!isKnown) return { findings };
  const directAddress = direct?.address;
  const authorities = authority?.text === undefined ? [] : [authority.text];
  return { findings, database: { address: url.address, ...directAddress && { directAddress }, authorities } };
}

async function readAddress(
  file: string,
  key: KeyPath,
): Promise<{ readonly findings: readonly Finding[]; readonly address?: DatabaseAddress }> {
  const { findings, text, mode } = await read(file, key);
  if (text === undefined) return { findings };
  try {
    const address = parseDatabaseAddress(text);
    return { findings: [...risksOf(address, { file, key, mode })], address };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { findings: [errorAt(key, `${file}: ${error.message}`)] };
  }
}

async function readAuthority(file: string): Promise<ReadText> {
  const { findings, text } = await read(file, CA);
  if (text === undefined || text.includes("-----BEGIN CERTIFICATE-----")) return { findings, ...text && { text } };
  return { findings: [errorAt(CA, `${file} holds no certificate in PEM`)] };
}

interface ReadText {
  readonly findings: readonly Finding[];
  readonly text?: string;
  readonly mode?: number | undefined;
}

async function read(path: string, key: KeyPath): Promise<ReadText> {
  if ((await Deno.permissions.query({ name: "read", path })).state !== "granted") return { findings: [] };
  try {
    return { findings: [], ...await readPemFile(path, key) };
  } catch (error) {
    if (!(error instanceof ExitError)) throw error;
    const where = error instanceof PemFileError ? error.path : key;
    return { findings: [{ severity: "error", path: where, message: error.message, hint: error.hint }] };
  }
}

function* risksOf(
  { isEncrypted }: DatabaseAddress,
  { file, key, mode }: { readonly file: string; readonly key: KeyPath; readonly mode: number | undefined },
): Generator<Finding> {
  if (!isEncrypted) {
    const { title, instead } = RISKS["clear-text-state"];
    yield { severity: "risk", risk: "clear-text-state", path: key, message: `${title}. ${instead}` };
  }
  if (mode === undefined || (mode & READABLE_BY_OTHERS) === 0) return;
  const octal = (mode & 0o777).toString(8).padStart(4, "0");
  const message = `${file} has mode ${octal}, which lets others on this host read it; use chmod 600`;
  yield { severity: "risk", risk: "key-readable-by-others", path: key, message };
}
