/**
 * From the command line, what its options say of settings, and the file it names, to one configuration.
 *
 * @module
 */

import { ALL_PERMISSIONS, READ_PERMISSIONS } from "../accounts/permission.ts";
import { shellWord, StartError, UsageError } from "../check/exit_error.ts";
import { NotRegularFileError, readRegularFile, requirePathPermission } from "../check/host_files.ts";
import type { LoadedConfiguration } from "../check/inspection.ts";
import { ConfigurationError } from "../settings/finding.ts";
import { FLAG_ROWS, readFlag } from "../settings/flags.ts";
import { port } from "../settings/forms.ts";
import { formatPath, type KeyPath, withValue } from "../settings/key_path.ts";
import { type AcceptedRisk, RISK_IDS, type RiskId } from "../settings/risks.ts";
import { findSettingRisks } from "../settings/setting_risks.ts";
import type { Configuration } from "../settings/table.ts";
import { resolveConfiguration } from "../settings/validate.ts";
import { describeOptionFinding } from "./findings_text.ts";
import type { ParsedArguments } from "./option_table.ts";
import { dirname, isAbsolute, join } from "node:path";

/** Options that describe the one folder that is shared where there is no file. */
const SHARE_OPTIONS = ["directory", "write", "username", "password", "password-file", "force-anonymous-write"] as const;

/**
 * Reads the configuration that the command line asks for. Options go before what the file says.
 *
 * @throws {ExitError} When an option or the file cannot be used.
 * @throws {ConfigurationError} With everything that is wrong with the file.
 */
export async function loadConfiguration(args: ParsedArguments): Promise<LoadedConfiguration> {
  const given = readGivenOptions(args);
  const named = acceptedByName(args);
  const file = args.values.get("config");
  if (file === undefined) {
    const shared = await sharedFolder(args);
    const configuration = withAcceptances(resolveOptions({ ...given.settings, ...shared }), [
      // A password file may hold clear text: whoever wrote it chose so, and its name says what it is.
      ...[...named, "plaintext-password" as const].map(accept),
    ], given);
    refusePointlessPermit(args, configuration);
    const origin = { passwordFile: args.values.get("password-file"), isPasswordShown: args.values.has("password") };
    return { configuration, file, ...origin, locate: () => undefined };
  }
  refuseShareOptions(args);
  await requirePathPermission("read", file);
  // Loaded when needed: a server without a file should not wait for the reader of YAML.
  const [{ decodeConfiguration, readConfiguration }, { findLine, readPositions }] = await Promise.all([
    import("../settings/read_configuration.ts"),
    import("../settings/yaml_position.ts"),
  ]);
  const resolve = (path: string) => isAbsolute(path) ? path : join(dirname(file), path);
  const text = decodeConfiguration(await readFile(file, "--config"), file);
  const override = (read: object) => merged(read, given.settings) as object;
  const configuration = withAcceptances(readConfiguration(text, { file, resolve, override }), named.map(accept), given);
  refusePointlessPermit(args, configuration);
  const locate = (path: KeyPath) => findLine(readPositions(text), path);
  return { configuration, file, locate };
}

/** Says of options what is said of a file with the same settings. */
function resolveOptions(given: object): Configuration {
  try {
    return resolveConfiguration(given);
  } catch (error) {
    const [first] = error instanceof ConfigurationError ? error.findings : [];
    if (first === undefined) throw error;
    throw new UsageError(describeOptionFinding(first), "ftpsd help serve");
  }
}

/** Puts what options give into what a file says; a list takes the place of another. */
function merged(whole: unknown, part: unknown): unknown {
  if (!isMapping(whole) || !isMapping(part)) return part;
  return { ...whole, ...Object.fromEntries(Object.entries(part).map(([key, own]) => [key, merged(whole[key], own)])) };
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A risk that an option of its own means is accepted with it. */
function withAcceptances(
  configuration: Configuration,
  accepted: readonly AcceptedRisk[],
  { paths }: GivenOptions,
): Configuration {
  const typed = new Set(paths.map(formatPath));
  const meant = findSettingRisks(configuration).filter(({ path }) => typed.has(formatPath(path)));
  const acceptRisks = [...configuration.acceptRisks, ...accepted, ...meant.map(({ risk }) => accept(risk))];
  return { ...configuration, acceptRisks };
}

function accept(risk: RiskId): AcceptedRisk {
  return { risk, reason: "on the command line" };
}

/** Active mode may be on by the option or by the file. */
function refusePointlessPermit({ switches }: ParsedArguments, { active }: Configuration): void {
  if (active.enabled || !switches.has("permit-privileged-ports")) return;
  throw new UsageError("--permit-privileged-ports without active mode", "add --active");
}

function refuseShareOptions({ operands, switches, values }: ParsedArguments): void {
  const given = SHARE_OPTIONS.find((name) => switches.has(name) || values.has(name));
  if (given === undefined && operands.length === 0) return;
  const what = given === undefined ? `the folder ${operands[0]}` : `--${given}`;
  throw new UsageError(`${what} with --config: the file says who has which folder`, "leave out one of both");
}

/** The accounts of a server without a file: one folder, for one user or for anonymous. */
async function sharedFolder(args: ParsedArguments): Promise<object> {
  const write = args.switches.has("write");
  const account = { home: directoryOf(args), permissions: write ? ALL_PERMISSIONS : READ_PERMISSIONS };
  const name = userOf(args);
  if (name === undefined) {
    return { anonymous: { ...account, forceWrite: args.switches.has("force-anonymous-write") } };
  }
  return { users: [{ ...account, name, password: await passwordOf(args) }] };
}

function directoryOf({ operands, values }: ParsedArguments): string {
  const named = values.get("directory");
  if (operands.length > 1) {
    throw new UsageError(`one folder can be shared, not ${operands.length}: ${operands.join(" ")}`);
  }
  if (named !== undefined && operands.length > 0) {
    throw new UsageError(`the folder is given twice: ${operands[0]} and --directory ${named}`);
  }
  return named ?? operands[0] ?? ".";
}

function userOf({ values }: ParsedArguments): string | undefined {
  const name = values.get("username");
  const [hasText, hasFile] = [values.has("password"), values.has("password-file")];
  if (name === undefined) {
    if (!hasText && !hasFile) return undefined;
    throw new UsageError(
      `a password without a user (${hasText ? "--password" : "--password-file"})`,
      "add --username NAME",
    );
  }
  if (hasText && hasFile) throw new UsageError("the password is given twice (--password-file)");
  if (name === "anonymous") {
    throw new UsageError(
      'user "anonymous" takes any password (--username)',
      "leave out --username for anonymous users",
    );
  }
  if (hasText || hasFile) return name;
  throw new UsageError(`user "${name}" has no password (--username)`, "add --password-file FILE");
}

async function passwordOf({ values }: ParsedArguments): Promise<string> {
  const file = values.get("password-file");
  if (file === undefined) return values.get("password") ?? "";
  await requirePathPermission("read", file);
  const text = decodePassword(await readFile(file, "--password-file"), file).replace(/\r?\n$/, "");
  if (text === "") throw new UsageError(`the password is empty (--password-file ${file})`);
  return text;
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

/** Settings as options give them: a part of what a file could say. */
export interface GivenOptions {
  readonly settings: object;
  /** Where they are. */
  readonly paths: readonly KeyPath[];
}

/**
 * Reads the options that mean settings.
 *
 * @throws {UsageError} When the value of one cannot be used.
 */
export function readGivenOptions(args: ParsedArguments): GivenOptions {
  const { switches, values } = args;
  refuseHalfPair(values);
  let settings: object = {};
  const paths: KeyPath[] = [];
  for (const row of FLAG_ROWS) {
    const text = values.get(row.name);
    if (text === undefined && !switches.has(row.name)) continue;
    settings = withValue(settings, row.path, text === undefined ? row.sets ?? true : valueOf(row, text));
    paths.push(row.path);
  }
  if (values.has("acme") && !values.has("acme-storage") && !values.has("config")) {
    settings = withValue(settings, ["tls", "acme", "storage"], "acme");
  }
  return { settings: withImplicit(settings, values.get("implicit-port")), paths };
}

function valueOf(
  row: Pick<(typeof FLAG_ROWS)[number], "name" | "form" | "example" | "choices">,
  text: string,
): unknown {
  const read = readFlag(row, text);
  if ("value" in read) return read.value;
  const { name, example, choices } = row;
  const hint = example === undefined ? undefined : `--${name} ${example}`;
  throw new UsageError(`${read.problem} (--${name})`, hint, {
    unknownWord: choices === undefined ? undefined : { typed: text, known: choices },
  });
}

/** A second listener on the same host. */
function withImplicit(settings: { readonly listen?: readonly object[] }, text: string | undefined): object {
  if (text === undefined) return settings;
  const { listen: [first = {}] = [] } = settings;
  const implicit = { ...first, port: valueOf({ name: "implicit-port", form: port }, text), tls: "implicit" };
  return { ...settings, listen: [first, implicit] };
}

function refuseHalfPair(values: ReadonlyMap<string, string>): void {
  const [hasCertificate, hasKey] = [values.has("certfile"), values.has("keyfile")];
  if (hasKey && !hasCertificate) {
    throw new UsageError("a key without its certificate (--keyfile)", "add --certfile FILE");
  }
  if (hasCertificate && !hasKey) {
    throw new UsageError("a certificate without its key (--certfile)", "add --keyfile FILE");
  }
}

/**
 * The risks that `--accept-risk` names.
 *
 * @throws {UsageError} When there is no such risk.
 */
export function acceptedByName({ lists }: ParsedArguments): readonly RiskId[] {
  const named = lists.get("accept-risk") ?? [];
  const unknown = named.find((id) => !RISK_IDS.some((known) => known === id));
  if (unknown === undefined) return named as readonly RiskId[];
  throw new UsageError(`there is no risk "${unknown}" (--accept-risk)`, `one of ${RISK_IDS.join(", ")}`, {
    unknownWord: { typed: unknown, known: RISK_IDS },
  });
}
