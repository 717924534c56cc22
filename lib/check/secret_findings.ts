/**
 * Files that nobody but the server should read or change, where somebody could: in a home, or by their mode bits.
 *
 * @module
 */

import { dirname, sep } from "node:path";
import { classifyPassword, hostHomesOf } from "./account_findings.ts";
import type { Configuration } from "../settings/table.ts";
import type { Finding } from "../settings/finding.ts";
import { codeSecretFilesOf } from "./code_files.ts";
import { accountSecretsOf } from "./account_source_files.ts";
import { hooksOf } from "./hook_files.ts";
import { storeFilesOf } from "./store_files.ts";
import { modeBits } from "../mode_bits.ts";

/** A file and the key or option that names it. */
interface NamedFile {
  readonly name: string;
  readonly path: string;
}

const READABLE_BY_OTHERS = 0o004;

/** Files that a configuration comes from. */
export interface ConfigurationOrigin {
  /** The configuration file, where there is one. */
  readonly file?: string | undefined;
  /** File that the password of the one user was read from; the command line can name one. */
  readonly passwordFile?: string | undefined;
  /** Whether the password is on the command line. */
  readonly isPasswordShown?: boolean;
}

/**
 * Finds homes that hold a file of the server itself: the configuration, the key, a password file, the log of transfers or the state.
 * What Deno does not permit to look at is passed over.
 */
export async function findSecretRisks(configuration: Configuration, origin: ConfigurationOrigin): Promise<Finding[]> {
  const files = await Promise.all(secretFiles(configuration, origin).map(withRealPath));
  const findings: Finding[] = [];
  for (const { path: key, folder } of hostHomesOf(configuration)) {
    const home = await realPath(folder);
    // The risk of a root as home says it all.
    if (home === undefined || dirname(home) === home) continue;
    for (const { name, path } of files) {
      if (!isWithin(path, home)) continue;
      const message = `${folder} holds ${name} (${path}), which users must not reach; move one of them`;
      findings.push({ severity: "risk", risk: "secret-in-home", path: key, message });
    }
  }
  return [...findings, ...await findReadablePassword(configuration, origin), ...findShownPassword(origin)];
}

function secretFiles(configuration: Configuration, { file, passwordFile }: ConfigurationOrigin): NamedFile[] {
  const { tls, log, state, accounts, admin, hooks } = configuration;
  const storeFiles = storeFilesOf(configuration);
  const files = [
    { name: "the configuration", path: file },
    { name: "the key of the certificate", path: tls.key },
    { name: "the key of the certificate", path: tls.acme?.storage },
    { name: "the key of the account at the CA", path: tls.acme?.externalAccount?.keyFile },
    { name: "the secret of the nodes", path: tls.acme?.secretFile },
    { name: "the password file", path: passwordFile },
    { name: "the log of transfers", path: log.transfers },
    { name: "the state", path: state.file },
    { name: "the token of the admin listener", path: admin?.tokenFile },
    { name: "the admin socket", path: admin?.unix },
    { name: "the queue of hooks", path: hooks?.queue },
    ...hooksOf(configuration).map(([, { tokenFile }]) => ({ name: "the token of a hook", path: tokenFile })),
    ...[state.urlFile, state.directUrlFile, ...accounts.map(({ urlFile }) => urlFile)].map((path) => ({
      name: "the URL of the database",
      path,
    })),
    ...codeSecretFilesOf(configuration).map((path) => ({ name: "the secret of codes", path })),
    ...accountSecretsOf(configuration).map((path) => ({ name: "a secret of accounts", path })),
    ...storeFiles.filter(({ isSecret }) => isSecret).map(({ path }) => ({ name: "the key of a store", path })),
  ];
  return files.filter((it): it is NamedFile => it.path !== undefined);
}

/** A hash that others can read is worth a warning; a password in clear is theirs already. */
async function findReadablePassword(
  { users: [user] }: Configuration,
  { passwordFile }: ConfigurationOrigin,
): Promise<Finding[]> {
  if (passwordFile === undefined || user === undefined) return [];
  const mode = modeBits((await Deno.stat(passwordFile)).mode, Deno.build.os) ?? 0;
  if ((mode & READABLE_BY_OTHERS) === 0) return [];
  const octal = (mode & 0o777).toString(8).padStart(4, "0");
  const path = ["users", 0, "password"];
  const message = `${passwordFile} has mode ${octal}, which lets others on this host read it; use chmod 600`;
  if (classifyPassword(user.password).kind !== "clearText") return [{ severity: "warning", path, message }];
  return [{ severity: "risk", risk: "password-readable-by-others", path, message }];
}

function findShownPassword({ isPasswordShown = false }: ConfigurationOrigin): Finding[] {
  const message = "the password is on the command line, where others on this host can see it; use --password-file";
  return isPasswordShown ? [{ severity: "warning", path: [], message }] : [];
}

async function withRealPath({ name, path }: NamedFile): Promise<NamedFile> {
  return { name, path: await realPath(path) ?? path };
}

/** The path without links; of a file that is not there yet, that of its folder. */
async function realPath(path: string): Promise<string | undefined> {
  try {
    return await Deno.realPath(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound && dirname(path) !== path) {
      const folder = await realPath(dirname(path));
      return folder === undefined ? undefined : `${folder}${sep}${path.slice(dirname(path).length + 1)}`;
    }
    return undefined; // not to be looked at: reported by the inspection of what it is for
  }
}

function isWithin(path: string, folder: string): boolean {
  return path.startsWith(folder.endsWith(sep) ? folder : `${folder}${sep}`);
}
