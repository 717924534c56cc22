/**
 * `ftpsd cert`: writes a self-signed pair for development, or tries ACME.
 *
 * @module
 */

import { createDevelopmentCertificate, type DevelopmentCertificate } from "../server/server_tls.ts";
import { ipFamily } from "../protocol/host_port.ts";
import { requirePathPermission } from "../check/host_files.ts";
import { CERT_OPTIONS } from "./command_table.ts";
import { ExitError, shellWord, StartError, UsageError } from "../check/exit_error.ts";
import { parseArguments } from "./option_table.ts";

const USAGE = `ftpsd cert ${CERT_OPTIONS.map(({ name, value }) => `[--${name} ${value}]`).join(" ")}`;
const CERTIFICATE_NAME = "server.crt";
const KEY_NAME = "server.key";
const KEY_MODE = 0o600;
const CERTIFICATE_MODE = 0o644;
const MAX_DAYS = 3650;

/** RFC 1123 §2.1, with a wildcard for the first label (RFC 9525 §6.3). */
export const DNS_NAME =
  /^(?=.{1,253}$)(?:\*\.)?(?:[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?\.)*[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?$/i;

interface CertSettings {
  readonly directory: string;
  readonly names: readonly string[];
  readonly days: number;
}

/**
 * Writes `server.crt` and `server.key`. It never overwrites, and leaves neither file when it cannot write both.
 *
 * @param args What follows `cert` on the command line.
 * @returns What was written and how to use it, for the user.
 * @throws {ExitError} With status 2 for wrong options and files that exist, 1 when it cannot write.
 */
export async function certCommand(args: readonly string[]): Promise<string> {
  if (args[0] === "acme") return await (await import("./cert_acme.ts")).certAcmeCommand(args.slice(1));
  const { directory, names, days } = readCertSettings(args);
  await requirePathPermission("write", directory);
  const paths = { key: join(directory, KEY_NAME), certificate: join(directory, CERTIFICATE_NAME) };
  const made = await createDevelopmentCertificate({ names, validForDays: days });
  try {
    await Deno.mkdir(directory, { recursive: true });
    await writePair(paths, made);
  } catch (error) {
    throw error instanceof ExitError
      ? error
      : new StartError(`cannot write to ${directory}: ${reasonOf(error)}`, "ftpsd cert --out DIR", { cause: error });
  }
  return describeResult(paths, made);
}

function readCertSettings(args: readonly string[]): CertSettings {
  const { operands, values, lists } = parseArguments(args, CERT_OPTIONS, USAGE);
  const [operand] = operands;
  if (operand !== undefined) throw new UsageError(`unknown argument ${operand}`, USAGE);
  const names = lists.get("name") ?? [];
  for (const name of names) {
    if (ipFamily(name) === undefined && !DNS_NAME.test(name)) {
      throw new UsageError(`neither a DNS name nor an IP address: "${name}" (--name)`, USAGE);
    }
  }
  return { directory: values.get("out") ?? "certs", names, days: readDays(values.get("days")) };
}

function readDays(text = "365"): number {
  const days = /^\d+$/.test(text) ? Number(text) : 0;
  if (days >= 1 && days <= MAX_DAYS) return days;
  throw new UsageError(`not a number of days from 1 to ${MAX_DAYS}: ${text} (--days)`, USAGE);
}

interface PairPaths {
  readonly key: string;
  readonly certificate: string;
}

/** Both files are taken before either is written, so that an existing one is found out in time. */
async function writePair(paths: PairPaths, pair: DevelopmentCertificate): Promise<void> {
  const created: string[] = [];
  try {
    using files = new DisposableStack();
    const create = async (path: string, mode: number) => {
      const file = files.use(await createFile(path, mode));
      created.push(path);
      return file;
    };
    const key = await create(paths.key, KEY_MODE);
    const certificate = await create(paths.certificate, CERTIFICATE_MODE);
    await writeAll(key, pair.key);
    await writeAll(certificate, pair.certificate);
  } catch (error) {
    await Promise.allSettled(created.map((path) => Deno.remove(path))); // The failure before it is reported
    throw error;
  }
}

async function createFile(path: string, mode: number): Promise<Deno.FsFile> {
  try {
    return await Deno.open(path, { write: true, createNew: true, mode });
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    throw new UsageError(`the file exists and is not overwritten: ${path}`, "ftpsd cert --out ANOTHER_DIR", {
      cause: error,
    });
  }
}

async function writeAll(file: Deno.FsFile, text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text.endsWith("\n") ? text : `${text}\n`);
  for (let rest = bytes; rest.length > 0;) rest = rest.subarray(await file.write(rest));
  await file.sync();
}

function describeResult({ key, certificate }: PairPaths, { info }: DevelopmentCertificate): string {
  const [certificateWord, keyWord] = [shellWord(certificate), shellWord(key)];
  return [
    `certificate: ${certificate}`,
    `key: ${key}`,
    `names: ${info.names.join(", ")}`,
    `valid to: ${info.validTo.toISOString()}`,
    `SHA-256 fingerprint: ${info.fingerprint}`,
    "",
    "Serve with it:",
    `  ftpsd --certfile ${certificateWord} --keyfile ${keyWord}`,
    "or in the configuration file:",
    `  tls: { certificate: ${JSON.stringify(certificate)}, key: ${JSON.stringify(key)} }`,
    "It is self-signed; clients trust it once they are given the certificate (never the key):",
    `  curl --ssl-reqd --cacert ${certificateWord} ftp://localhost:2121/`,
  ].join("\n");
}

/** Keeps the path short, as it was given. */
function join(directory: string, name: string): string {
  return `${directory.replace(/(?<=[^/])\/+$/, "")}/${name}`.replace(/^\/\//, "/");
}

/** The system's word for a failure, without the runtime's repetition of the path. */
function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/: \w+ '.*'$/s, "");
}
