/**
 * `ftpsd init`: sets up a server by five questions, and goes no further than files that could be written by hand.
 *
 * @module
 */

import { dirname, join } from "node:path";
import { hashNewPassword } from "../check/account_findings.ts";
import { shellWord, StartError, UsageError } from "../check/exit_error.ts";
import { readRegularFile, requirePathPermission } from "../check/host_files.ts";
import { findObstacles, inspect } from "../check/inspection.ts";
import { formatFinding } from "../settings/finding.ts";
import { certCommand } from "./cert.ts";
import { INIT_OPTIONS } from "./command_table.ts";
import { askSecret } from "./hash_password.ts";
import { type InitAccount, type InitDialog, type InitPlan, planInit } from "./init_plan.ts";
import {
  formatConfiguration,
  formatFirewall,
  formatInstallation,
  formatNextSteps,
  type InitFiles,
} from "./init_texts.ts";
import { loadConfiguration } from "./load_configuration.ts";
import { parseArguments } from "./option_table.ts";
import { ownCommand, permissionsCommand } from "./print_permissions.ts";
import { replaceFile } from "../check/replace_file.ts";
import { hashInFile } from "./user.ts";

const USAGE = "ftpsd init --help";
const CONFIGURATION_NAME = "ftpsd.yaml";
const UNIT_NAME = "ftpsd.service";
const UNIT_FOLDER = "/etc/systemd/system";
const OWNER_ONLY = 0o600;
const FOR_ALL = 0o644;
/** What is in a folder that is shared is for those who log in. */
const FOLDER_MODE = 0o750;
/** Letters and digits that nobody takes for others; 31 of them, so that 20 are 99 bits. */
const PASSWORD_CHARACTERS = "abcdefghjkmnpqrstuvwxyz23456789";
const PASSWORD_GROUPS = { count: 4, length: 5 } as const;

const MAX_LINE_BYTES = 4096;
const NEWLINE = 0x0a;

/** The terminal of the program; `undefined` where there is none. */
export function terminalDialog(): InitDialog | undefined {
  if (!Deno.stdin.isTerminal() || !Deno.stdout.isTerminal()) return undefined;
  return {
    // Not prompt(): its default is there to be deleted before anything else can be typed.
    ask: (question, fallback) => {
      write(`${question}\n    [${fallback}] `);
      const line = readLine();
      return line === "" ? fallback : line;
    },
    askSecret,
    tell: (line) => write(`${line}\n`),
  };
}

function write(text: string): void {
  for (let rest = new TextEncoder().encode(text); rest.length > 0;) rest = rest.subarray(Deno.stdout.writeSync(rest));
}

/** A line from the terminal, which lets it be edited; `null` at the end of the input. */
function readLine(): string | null {
  const typed: number[] = [];
  const byte = new Uint8Array(1);
  while (typed.length < MAX_LINE_BYTES) {
    if (Deno.stdin.readSync(byte) === null) return typed.length === 0 ? null : decode(typed);
    if (byte[0] === NEWLINE) break;
    typed.push(byte[0] ?? 0);
  }
  return decode(typed);
}

function decode(bytes: readonly number[]): string {
  return new TextDecoder().decode(new Uint8Array(bytes)).replace(/\r$/, "");
}

/**
 * Asks, writes, checks, and tells how to go on.
 *
 * @param dialog Asks what no option says; absent: there is nobody to ask.
 * @returns What to print.
 * @throws {ExitError} When it cannot be done. What was written until then is named by the message, or was removed.
 */
export async function initCommand(args: readonly string[], dialog: InitDialog | undefined): Promise<string> {
  const parsed = parseArguments(args, INIT_OPTIONS, USAGE);
  const asks = !parsed.switches.has("yes");
  if (asks && dialog === undefined) {
    throw new UsageError(
      "there is no terminal to ask on (init)",
      "ftpsd init --yes, with options for what is to be different",
    );
  }
  const isForced = parsed.switches.has("force");
  const asked = asks ? dialog : undefined;
  const folder = parsed.operands[0] ?? ".";
  if (!isForced) await requireNew(join(folder, CONFIGURATION_NAME), asked);
  const plan = planInit(parsed, asked);
  const unit = unitOf(plan);
  if (!isForced && unit !== undefined) await requireNew(unit, asked);
  return await setUp(plan, unit);
}

/** Makes sure that a file may be written, be it that somebody says so. */
async function requireNew(path: string, dialog: InitDialog | undefined): Promise<void> {
  if (!await exists(path)) return;
  const answer = dialog?.ask(`${path} exists. Overwrite it? (yes, no)`, "no");
  if (answer?.trim().toLowerCase() === "yes") return;
  throw new UsageError(`${path} exists and is not overwritten (init)`, "--force, or another DIR");
}

function unitOf({ folder, service }: InitPlan): string | undefined {
  if (service === "no") return undefined;
  return join(service === "install" ? UNIT_FOLDER : folder, UNIT_NAME);
}

async function setUp(plan: InitPlan, unit: string | undefined): Promise<string> {
  const { folder, share } = plan;
  const files = filesOf(plan);
  for (const path of new Set([folder, share])) await requirePathPermission("write", path);
  const { certificate: chain = folder, key = folder } = files.pair ?? {};
  for (const path of new Set([folder, share, chain, key])) await requirePathPermission("read", path);
  const { hash, password } = await passwordOf(plan.account);
  const text = formatConfiguration(plan, files, hash);
  await makeFolder(folder, FOR_ALL | 0o111);
  await makeFolder(share, FOLDER_MODE);
  const certificate = await provideCertificate(plan, files);
  await writeFile(files.configuration, text, OWNER_ONLY);
  if (unit !== undefined) await writeUnit(unit, files);
  const verdict = await check(files.configuration);
  return [
    `configuration: ${files.configuration}`,
    ...certificate,
    `shared folder: ${share}`,
    ...unit === undefined ? [] : [`unit: ${unit}`],
    ...plan.account.kind === "user" ? [`user: ${plan.account.name}`] : ["user: anybody, who may read"],
    ...password === undefined ? [] : [`password: ${password} (shown this once; the file has its hash)`],
    "",
    ...verdict.lines,
    ...!verdict.isClean ? [] : [
      "",
      ...formatNextSteps(plan, files, (...flags) => ownCommand(flags)),
      ...formatFirewall(plan),
      ...unit === undefined ? [] : formatInstallation(plan, files, unit),
    ],
  ].join("\n");
}

function filesOf({ folder, certificate: source }: InitPlan): InitFiles {
  const configuration = join(folder, CONFIGURATION_NAME);
  if (source.kind === "acme") return { configuration };
  const { certificate, key } = source.kind === "files"
    ? source
    : { certificate: join(folder, "certs", "server.crt"), key: join(folder, "certs", "server.key") };
  return { configuration, pair: { certificate, key } };
}

/** The hash of the user's password, and the password where it was made here. */
async function passwordOf(account: InitAccount): Promise<{ readonly hash?: string; readonly password?: string }> {
  if (account.kind === "anybody") return {};
  if (account.passwordFile !== undefined) return { hash: await hashInFile(account.passwordFile, "init") };
  if (account.password !== undefined) return { hash: await hashNewPassword(account.password) };
  const password = makePassword();
  return { hash: await hashNewPassword(password), password };
}

/** A password that can be read out and typed, of 99 bits. */
export function makePassword(): string {
  const { count, length } = PASSWORD_GROUPS;
  const limit = 256 - 256 % PASSWORD_CHARACTERS.length; // above it some would be likelier
  const characters: string[] = [];
  while (characters.length < count * length) {
    const [byte = 0] = crypto.getRandomValues(new Uint8Array(1));
    if (byte < limit) characters.push(PASSWORD_CHARACTERS[byte % PASSWORD_CHARACTERS.length] ?? "");
  }
  const groups = Array.from({ length: count }, (_, index) => characters.slice(index * length, (index + 1) * length));
  return groups.map((group) => group.join("")).join("-");
}

async function makeFolder(path: string, mode: number): Promise<void> {
  try {
    await Deno.mkdir(path, { recursive: true, mode });
  } catch (cause) {
    throw new StartError(`cannot make the folder ${path}: ${reasonOf(cause)}`, `ls -ld ${shellWord(dirname(path))}`, {
      cause,
    });
  }
}

/** Makes a pair where none is given or there; returns what there is to say. */
async function provideCertificate({ folder, certificate, reach }: InitPlan, { pair }: InitFiles): Promise<string[]> {
  if (pair === undefined) return ["certificate: ordered at the first start"];
  if (certificate.kind === "files" || (await exists(pair.certificate) && await exists(pair.key))) {
    return [`certificate: ${pair.certificate}, as it is`];
  }
  const names = reach.kind === "name" ? ["--name", reach.name] : [];
  const told = await certCommand(["--out", join(folder, "certs"), ...names]);
  return told.split("\n\n")[0]?.split("\n") ?? [];
}

async function writeUnit(path: string, { configuration }: InitFiles): Promise<void> {
  const text = await permissionsCommand(["--config", configuration, "--systemd"]);
  await writeFile(path, `${text}\n`, FOR_ALL);
}

/** Writes a file whole or not at all; one that is there keeps its mode. */
async function writeFile(path: string, text: string, mode: number): Promise<void> {
  await requirePathPermission("write", dirname(path));
  if (await exists(path)) {
    const before = new TextDecoder().decode((await readRegularFile(path)).bytes);
    return await replaceFile(path, before, text);
  }
  try {
    await Deno.writeTextFile(path, text, { createNew: true, mode });
  } catch (cause) {
    if (!(cause instanceof Deno.errors.AlreadyExists)) await Deno.remove(path).catch(() => {}); // the failure is reported
    throw new StartError(`cannot write ${path}: ${reasonOf(cause)}`, `ls -ld ${shellWord(dirname(path))}`, { cause });
  }
}

/** What is wrong with the configuration, apart from what this command itself may do on this host. */
async function check(file: string): Promise<{ readonly lines: readonly string[]; readonly isClean: boolean }> {
  const loaded = await loadConfiguration(parseArguments(["--config", file]));
  const { configuration, locate } = loaded;
  const inspection = await inspect(configuration, loaded, new Date());
  const findings = inspection.findings.filter(({ path: [key] }) => key !== "permissions").map((finding) => {
    const line = locate(finding.path);
    return line === undefined ? finding : { ...finding, place: { file, line } };
  });
  const isClean = findObstacles(configuration, findings, new Date()).length === 0;
  const verdict = isClean ? "checked: the server would start" : "checked: the server would not start";
  return { lines: [...findings.map((finding) => `${finding.severity}: ${formatFinding(finding)}`), verdict], isClean };
}

async function exists(path: string): Promise<boolean> {
  await requirePathPermission("read", path);
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
