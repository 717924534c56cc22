/**
 * From the command line, and the file it names, to one configuration.
 *
 * @module
 */

import { dirname, isAbsolute, join } from "node:path";
import { ALL_PERMISSIONS, READ_PERMISSIONS } from "../accounts/permission.ts";
import type { Configuration } from "../config/configuration.ts";
import { findContradictions } from "../config/contradictions.ts";
import { DEFAULT_WORKERS } from "../config/worker_count.ts";
import type { KeyPath } from "../settings/key_path.ts";
import { requirePathPermission } from "../check/certificate_files.ts";
import { StartError, UsageError } from "../check/exit_error.ts";
import { describeOptionFinding } from "./option_names.ts";
import type { ParsedArguments } from "./option_table.ts";
import { NotRegularFileError, readRegularFile } from "../check/read_file.ts";
import { readServeSettings, type ServeSettings } from "./serve_settings.ts";
import { shellWord } from "../check/shell_word.ts";

/** A configuration and what else the command line says. */
export interface LoadedConfiguration {
  readonly configuration: Configuration;
  /** The configuration file, where there is one. */
  readonly file: string | undefined;
  /** What the options alone say. */
  readonly settings: ServeSettings;
  /** Finds the line where a key such as `["users", 0, "home"]` stands in the file; `undefined` where it does not. */
  readonly locate: (path: KeyPath) => number | undefined;
}

/** Options that describe the one folder that is shared where there is no file. */
const SHARE_OPTIONS = ["directory", "write", "username", "password", "password-file", "force-anonymous-write"] as const;

const LISTEN_OPTIONS = ["interface", "port", "implicit-port"] as const;

/**
 * Reads the configuration that the command line asks for. Options go before what the file says.
 *
 * @throws {ExitError} When an option or the file cannot be used.
 * @throws {ConfigurationError} With everything that is wrong with the file.
 */
export async function loadConfiguration(args: ParsedArguments): Promise<LoadedConfiguration> {
  const settings = readServeSettings(args);
  const file = args.values.get("config");
  if (file === undefined) {
    const configuration = await configurationOf(settings);
    refuseContradictions(configuration);
    refusePointlessPermit(args, configuration);
    return { configuration, file, settings, locate: () => undefined };
  }
  refuseShareOptions(args);
  await requirePathPermission("read", file);
  // Loaded when needed: a server without a file should not wait for the readers of YAML and of its schema.
  const [{ decodeConfiguration, readConfiguration }, { findLine, readPositions }] = await Promise.all([
    import("../config/read_configuration.ts"),
    import("../config/yaml_position.ts"),
  ]);
  const resolve = (path: string) => isAbsolute(path) ? path : join(dirname(file), path);
  const text = decodeConfiguration(await readFile(file, "--config"), file);
  const configuration = readConfiguration(text, {
    file,
    resolve,
    override: (configuration) => override(configuration, args, settings),
  });
  refusePointlessPermit(args, configuration);
  const locate = (path: KeyPath) => findLine(readPositions(text), path);
  return { configuration, file, settings, locate };
}

/** Says of options what is said of a file with the same settings. */
function refuseContradictions(configuration: Configuration): void {
  const [first] = findContradictions(configuration);
  if (first === undefined) return;
  throw new UsageError(describeOptionFinding(first), "ftpsd help serve");
}

/** Active mode may be on by the option or by the file. */
function refusePointlessPermit({ switches }: ParsedArguments, { server: { active = {} } }: Configuration): void {
  if (active.enabled === true || !switches.has("permit-privileged-ports")) return;
  throw new UsageError("--permit-privileged-ports without active mode", "add --active");
}

function refuseShareOptions({ operands, switches, values }: ParsedArguments): void {
  const given = SHARE_OPTIONS.find((name) => switches.has(name) || values.has(name));
  if (given === undefined && operands.length === 0) return;
  const what = given === undefined ? `the folder ${operands[0]}` : `--${given}`;
  throw new UsageError(`${what} with --config: the file says who has which folder`, "leave out one of both");
}

/** The configuration of a server without a file: one folder, for one user or for anonymous. */
async function configurationOf(settings: ServeSettings): Promise<Configuration> {
  const { user, directory, write, listen, certificateFiles, acceptedRisks, log } = settings;
  const account = { home: directory, permissions: write ? ALL_PERMISSIONS : READ_PERMISSIONS, overrides: [] };
  return {
    server: { ...serverPart(settings), listen },
    certificateFiles,
    clientCertificates: { mode: "none", caFile: undefined },
    users: user === undefined ? [] : [{ ...account, name: user.name, password: await passwordOf(user), limits: {} }],
    anonymous: user === undefined ? { ...account, forceWrite: settings.forceAnonymousWrite } : undefined,
    ...user !== undefined && "file" in user.password ? { passwordFile: user.password.file } : {},
    // A password file may hold clear text: whoever wrote it chose so, and its name says what it is.
    acceptRisks: accept([...acceptedRisks, "plaintext-password"]),
    workers: settings.workers ?? DEFAULT_WORKERS,
    log: { format: log.format, level: "info", transfers: undefined },
  };
}

async function passwordOf({ password }: NonNullable<ServeSettings["user"]>): Promise<string> {
  if ("text" in password) return password.text;
  await requirePathPermission("read", password.file);
  const text = decodePassword(await readFile(password.file, "--password-file"), password.file).replace(/\r?\n$/, "");
  if (text === "") throw new UsageError(`the password is empty (--password-file ${password.file})`);
  return text;
}

function override(configuration: Configuration, args: ParsedArguments, settings: ServeSettings): Configuration {
  const { server } = configuration;
  const options = serverPart(settings);
  const hasListen = LISTEN_OPTIONS.some((name) => args.values.has(name));
  return {
    ...configuration,
    server: {
      ...server,
      ...options,
      ...hasListen ? { listen: settings.listen } : {},
      tls: { ...server.tls, ...options.tls },
      passive: { ...server.passive, ...options.passive },
      active: { ...server.active, ...options.active },
      timeouts: { ...server.timeouts, ...options.timeouts },
      limits: { ...server.limits, ...options.limits },
    },
    certificateFiles: settings.certificateFiles ?? configuration.certificateFiles,
    acceptRisks: [...configuration.acceptRisks, ...accept(settings.acceptedRisks)],
    workers: settings.workers ?? configuration.workers,
    log: { ...configuration.log, ...args.values.has("log-format") ? { format: settings.log.format } : {} },
  };
}

function serverPart({ server: { dialogue: _, ...server } }: ServeSettings): Configuration["server"] {
  return server;
}

function accept(risks: ServeSettings["acceptedRisks"]): Configuration["acceptRisks"] {
  return risks.map((risk) => ({ risk, reason: "on the command line" }));
}

function decodePassword(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new UsageError(`${file} is not UTF-8 (--password-file)`, "ftpsd hash-password > FILE", { cause });
  }
}

async function readFile(file: string, option: string): Promise<Uint8Array> {
  try {
    return (await readRegularFile(file)).bytes;
  } catch (cause) {
    if (cause instanceof NotRegularFileError) {
      throw new UsageError(`not a file: ${file} (${option})`, `ls -l ${shellWord(file)}`, { cause });
    }
    if (cause instanceof Deno.errors.NotFound) {
      throw new UsageError(`no such file: ${file} (${option})`, undefined, { cause });
    }
    throw new StartError(`cannot read ${file} (${option})`, `ls -l ${shellWord(file)}`, { cause });
  }
}
