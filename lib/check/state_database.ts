/**
 * The databases of the state and of accounts, as far as this host shows: where they are, who is trusted there, and who else can read
 * that.
 *
 * @module
 */

import { type DatabaseAddress, parseDatabaseAddress } from "../state/postgres/database_address.ts";
import { errorAt, type Finding } from "../settings/finding.ts";
import type { KeyPath } from "../settings/key_path.ts";
import { RISKS } from "../settings/risks.ts";
import type { ConfigurationFiles, DatabaseLocation } from "../server/configured_options.ts";
import type { Configuration } from "../settings/table.ts";
import { ExitError } from "./exit_error.ts";
import { PemFileError, readPemFile } from "./host_files.ts";
import { findReadableSecret } from "./readable_secret.ts";

/** What was found about all databases of a configuration. */
export interface DatabaseInspection extends Pick<ConfigurationFiles, "database" | "accountDatabases"> {
  readonly findings: readonly Finding[];
}

/** What was found about it. */
export interface StateDatabaseInspection {
  readonly findings: readonly Finding[];
  /** Absent where there is none, or it is not known. */
  readonly database?: DatabaseLocation;
}

/** Looks at the databases of the state and of all sources of accounts. */
export async function inspectDatabases(configuration: Configuration): Promise<DatabaseInspection> {
  const { findings, database } = await inspectStateDatabase(configuration);
  const ofAccounts = await Promise.all(
    configuration.accounts.map(async ({ urlFile, ca }, index) => ({
      index,
      ...urlFile === undefined ? { findings: [] } : await inspectDatabase({ urlFile, ca }, ["accounts", index]),
    })),
  );
  const known = ofAccounts.flatMap(({ index, database }) => database === undefined ? [] : [[index, database] as const]);
  return {
    findings: [...findings, ...ofAccounts.flatMap(({ findings }) => findings)],
    ...database && { database },
    ...known.length > 0 && { accountDatabases: Object.fromEntries(known) },
  };
}

/** Looks at the database of the state. */
export async function inspectStateDatabase({ state }: Configuration): Promise<StateDatabaseInspection> {
  const { type, urlFile, directUrlFile, ca } = state;
  if (type !== "postgres" || urlFile === undefined) return { findings: [] };
  return await inspectDatabase({ urlFile, directUrlFile, ca }, ["state"]);
}

/** Reads the files that say where a database is; what Deno does not permit to read is passed over. Nothing is asked of it. */
async function inspectDatabase(
  { urlFile, directUrlFile, ca }: {
    readonly urlFile: string;
    readonly directUrlFile?: string | undefined;
    readonly ca?: string | undefined;
  },
  at: KeyPath,
): Promise<StateDatabaseInspection> {
  const url = await readAddress(urlFile, [...at, "urlFile"]);
  const direct = directUrlFile === undefined ? undefined : await readAddress(directUrlFile, [...at, "directUrlFile"]);
  const authority = ca === undefined ? undefined : await readAuthority(ca, [...at, "ca"]);
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

async function readAuthority(file: string, key: KeyPath): Promise<ReadText> {
  const { findings, text } = await read(file, key);
  if (text === undefined || text.includes("-----BEGIN CERTIFICATE-----")) return { findings, ...text && { text } };
  return { findings: [errorAt(key, `${file} holds no certificate in PEM`)] };
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
  yield* findReadableSecret(file, mode, key);
}
