/**
 * `ftpsd doctor`: looks at a server from a client's side, and tells what is wrong and what to do about it.
 *
 * @module
 */

import { readRegularFile, requirePathPermission } from "../check/host_files.ts";
import { shellWord, StartError, UsageError } from "../check/exit_error.ts";
import { judge } from "../doctor/checks.ts";
import type { Examination, TlsMode } from "../doctor/facts.ts";
import { observe } from "../doctor/observe.ts";
import { type DoctorReport, type ExaminedServer, hasErrors, reportJson, reportText } from "../doctor/report.ts";
import { describeOwnServer } from "../doctor/self.ts";
import { formatSocketAddress, ipFamily } from "../protocol/host_port.ts";
import { DOCTOR_OPTIONS } from "./command_table.ts";
import { loadConfiguration } from "./load_configuration.ts";
import { parseArguments, type ParsedArguments } from "./option_table.ts";

/** What a command has to print, and whether all was well. */
export interface DoctorResult {
  readonly output: string;
  /** Whether no finding is an error. */
  readonly isWell: boolean;
}

const HINT = "ftpsd doctor --help";
const DEFAULT_TIMEOUT_S = 10;
const MAX_TIMEOUT_S = 300;
/** A server is given up after so many times the longest wait, whatever it does. */
const WAITS_IN_ALL = 30;
const EXPLICIT_PORT = 21;
const IMPLICIT_PORT = 990;

/**
 * Looks at a server, or with `--self` at those of a configuration.
 *
 * @param askPassword Asks on the terminal; `null` where there is none.
 * @throws {UsageError} When the command line cannot be used.
 */
export async function doctorCommand(
  args: readonly string[],
  askPassword: (message: string) => string | null,
): Promise<DoctorResult> {
  const parsed = parseArguments(args, DOCTOR_OPTIONS, HINT);
  const timeoutMs = timeoutOf(parsed) * 1000;
  const { examinations, unseen } = parsed.switches.has("self")
    ? await ownExaminations(parsed, askPassword)
    : { examinations: [await examinationOf(parsed, targetOf(parsed), askPassword)], unseen: [] };
  const servers: ExaminedServer[] = [];
  for (const examination of examinations) {
    await requireNetPermission(examination);
    const signal = AbortSignal.timeout(timeoutMs * WAITS_IN_ALL);
    const notes = await observe(examination, { timeoutMs, signal });
    const { host, port, mode } = examination;
    servers.push({ host, port, tls: mode, findings: judge(notes, examination, new Date()) });
  }
  const report: DoctorReport = { servers, unseen };
  const output = parsed.switches.has("json") ? reportJson(report) : reportText(report);
  return { output, isWell: !hasErrors(report) };
}

type Target = Pick<Examination, "host" | "port" | "mode" | "name" | "expectedAddresses">;

/** The server that is named, or what is wrong with how it is named. */
function targetOf({ operands, switches, values }: ParsedArguments): Target {
  const [operand, ...others] = operands;
  if (operand === undefined) throw new UsageError("which server is missing (doctor)", "ftpsd doctor HOST[:PORT]");
  if (others.length > 0) {
    throw new UsageError(`one server at a time, not ${operands.length}: ${operands.join(" ")}`, HINT);
  }
  if (values.has("config")) throw new UsageError("--config goes with --self", "ftpsd doctor --self --config FILE");
  const mode: TlsMode = switches.has("implicit") ? "implicit" : "explicit";
  const { host, port = mode === "implicit" ? IMPLICIT_PORT : EXPLICIT_PORT } = readHostPort(operand);
  return { host, port, mode, name: values.get("name") ?? host };
}

/** @throws {StartError} Naming the flag that is missing. */
async function requireNetPermission({ host, port }: Target): Promise<void> {
  const { state } = await Deno.permissions.query({ name: "net", host: formatSocketAddress({ host, port }) });
  if (state === "granted") return;
  const flag = `--allow-net=${ipFamily(host) === 6 ? `[${host}]` : host}`;
  throw new StartError(
    `Deno does not permit to connect to ${host} (${flag} missing)`,
    `deno run ${flag} … doctor ${host}`,
  );
}

/** Reads `HOST`, `HOST:PORT`, and of IPv6 `ADDRESS` and `[ADDRESS]:PORT`. */
function readHostPort(text: string): { readonly host: string; readonly port?: number } {
  if (ipFamily(text) === 6) return { host: text };
  const [, bracketed, plain, digits] = /^(?:\[([^\]]*)\]|([^:[\]/@\s]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = digits === undefined ? undefined : Number(digits);
  const isUsable = port === undefined || (port > 0 && port <= 65535);
  if (host === undefined || !isUsable || (bracketed !== undefined && ipFamily(bracketed) !== 6)) {
    throw new UsageError(
      `neither a name nor an address, with or without a port: ${text} (doctor)`,
      "ftpsd doctor HOST[:PORT]",
    );
  }
  return { host, ...port !== undefined && { port } };
}

/** The listeners of the configuration. */
async function ownExaminations(parsed: ParsedArguments, askPassword: (message: string) => string | null) {
  const { operands, switches, values } = parsed;
  if (operands.length > 0) throw new UsageError("--self takes no other server", "ftpsd doctor --self --config FILE");
  if (switches.has("implicit")) throw new UsageError("--implicit with --self: the configuration says it", HINT);
  const config = values.get("config");
  if (config === undefined) throw new UsageError("--self needs a configuration", "ftpsd doctor --self --config FILE");
  const { configuration } = await loadConfiguration({
    operands: [],
    switches: new Set(),
    values: new Map([["config", config]]),
    lists: new Map(),
  });
  const { listeners, unseen } = await describeOwnServer(configuration, resolveName);
  const { address } = configuration.passive;
  const name = values.get("name") ?? (address !== undefined && ipFamily(address) === undefined ? address : undefined);
  const examinations: Examination[] = [];
  let account: Examination["account"];
  for (const listener of listeners) {
    const examination = await examinationOf(parsed, { ...listener, name }, askPassword, account);
    account = examination.account; // Asked for once
    examinations.push(examination);
  }
  return { examinations, unseen };
}

/** Addresses of a name, as the system finds them. */
async function resolveName(name: string): Promise<readonly string[]> {
  const { lookup } = await import("node:dns/promises");
  try {
    return (await lookup(name, { all: true })).map(({ address }) => address);
  } catch (cause) {
    throw new StartError(`cannot resolve ${name} (passive.address)`, `getent hosts ${shellWord(name)}`, { cause });
  }
}

async function examinationOf(
  parsed: ParsedArguments,
  target: Target,
  askPassword: (message: string) => string | null,
  known?: Examination["account"],
): Promise<Examination> {
  const { switches, values } = parsed;
  const ca = values.get("ca");
  const folder = values.get("folder");
  if (folder !== undefined && switches.has("no-upload")) throw new UsageError("--folder with --no-upload", HINT);
  refuseControlCharacters(parsed);
  return {
    ...target,
    ca: ca === undefined ? undefined : await readText(ca, "--ca"),
    account: known ?? await accountOf(parsed, askPassword),
    isInsecure: switches.has("insecure"),
    triesAnonymous: switches.has("anonymous"),
    mayUpload: !switches.has("no-upload"),
    folder,
  };
}

async function accountOf(
  { values }: ParsedArguments,
  askPassword: (message: string) => string | null,
): Promise<Examination["account"]> {
  const user = values.get("user");
  const file = values.get("password-file");
  if (user === undefined) {
    if (file === undefined) return undefined;
    throw new UsageError("a password without a user (--password-file)", "add --user NAME");
  }
  const password = file === undefined
    ? askPassword(`Password of ${user}:`)
    : (await readText(file, "--password-file")).replace(/\r?\n$/, "");
  if (password === null) throw new UsageError(`user "${user}" has no password (--user)`, "add --password-file FILE");
  // It is not shown, as it is a password.
  if (hasControlCharacters(password)) {
    throw new UsageError("the password has line ends or other control characters in it", HINT);
  }
  return { user, password };
}

function refuseControlCharacters({ values }: ParsedArguments): void {
  for (const name of ["user", "folder", "name"]) {
    if (hasControlCharacters(values.get(name) ?? "")) throw new UsageError(`control characters in --${name}`, HINT);
  }
}

function hasControlCharacters(text: string): boolean {
  // deno-lint-ignore no-control-regex
  return /[\u0000-\u001f\u007f]/.test(text);
}

function timeoutOf({ values }: ParsedArguments): number {
  const text = values.get("timeout") ?? String(DEFAULT_TIMEOUT_S);
  const seconds = /^\d+$/.test(text) ? Number(text) : 0;
  if (seconds >= 1 && seconds <= MAX_TIMEOUT_S) return seconds;
  throw new UsageError(`not a number of seconds from 1 to ${MAX_TIMEOUT_S}: ${text} (--timeout)`, HINT);
}

async function readText(file: string, option: string): Promise<string> {
  await requirePathPermission("read", file);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode((await readRegularFile(file)).bytes);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) {
      throw new UsageError(`no such file: ${file} (${option})`, HINT, { cause });
    }
    throw new StartError(`cannot read ${file} (${option})`, `ls -l ${shellWord(file)}`, { cause });
  }
}
