/**
 * The command line program.
 *
 * @module
 */

import project from "../../deno.json" with { type: "json" };
import { ConfigurationError, formatFinding } from "../settings/finding.ts";
import { ADMIN_COMMANDS } from "./command_names.ts";
import { COMMAND_NAMES, findCommandRow } from "./command_table.ts";
import {
  EXIT_STATUS,
  ExitError,
  type ExitStatus,
  messageOf,
  shellWord,
  StartError,
  UsageError,
} from "../check/exit_error.ts";
import { commandHelp, shortHelp } from "./help_text.ts";
import { inColorOf } from "../logger.ts";
import { type LogListeners, LogWriter } from "../serve/log_writer.ts";
import { parseArguments } from "./option_table.ts";
import { explainRefusal } from "../check/permissions.ts";
import { ProcessSignals } from "./signals.ts";

/** Oldest Deno whose `node:tls` can be a STARTTLS server. */
const OLDEST_DENO = { major: 2, minor: 8 };

/** Sub-commands that print something; loaded when they are asked for, so that no other waits for them. */
const PRINTERS: Readonly<Record<string, (args: readonly string[]) => Promise<string>>> = {
  init: async (args) => {
    const { initCommand, terminalDialog } = await import("./init.ts");
    return await initCommand(args, terminalDialog());
  },
  permissions: async (args) => (await import("./print_permissions.ts")).permissionsCommand(args),
  "hash-password": async (args) => (await import("./hash_password.ts")).hashPasswordCommand(args),
  cert: async (args) => (await import("./cert.ts")).certCommand(args),
  quota: async (args) => (await import("./quota.ts")).quotaCommand(args),
  state: async (args) => (await import("./state.ts")).stateCommand(args),
  user: async (args) => (await import("./user.ts")).userCommand(args),
  completions: async (args) => (await import("./completions.ts")).completionsCommand(args),
  help: (args) => Promise.resolve(helpCommand(args)),
};

/** Longest wait, in milliseconds, for a log that is slow, once there is nothing more to do. */
const LAST_LINES_MS = 2000;

/**
 * Runs the program to its end; never rejects.
 *
 * @param signals Those of this process, where they are listened for already.
 * @returns The exit status.
 */
export async function run(args: readonly string[], signals?: ProcessSignals): Promise<ExitStatus> {
  const log = new LogWriter(Deno.stderr);
  const status = await runLogging(args, log, signals);
  await log.end(LAST_LINES_MS);
  return status;
}

async function runLogging(args: readonly string[], log: LogWriter, signals?: ProcessSignals): Promise<ExitStatus> {
  try {
    requireDeno(Deno.version.deno);
    return await runCommand(args) ?? await runServe(args[0] === "serve" ? args.slice(1) : args, log, signals);
  } catch (error) {
    return await fail(error, log);
  }
}

/** Runs a sub-command that ends by itself; `undefined` when none is asked for. */
async function runCommand(args: readonly string[]): Promise<ExitStatus | undefined> {
  const [name = "", ...rest] = args;
  const row = findCommandRow(name);
  if (row !== undefined && (rest.includes("--help") || rest.includes("-h"))) return await printed(commandHelp(row));
  if (name === "check") return await runCheck(rest);
  if (name === "doctor") return await runDoctor(rest);
  const asked = ADMIN_COMMANDS.find((command) => command === name);
  if (asked !== undefined) return await runAdmin(asked, rest);
  const printer = Object.hasOwn(PRINTERS, name) ? PRINTERS[name] : undefined;
  return printer === undefined ? undefined : await printed(await printer(rest));
}

async function runCheck(args: readonly string[]): Promise<ExitStatus> {
  const { checkCommand } = await import("./check.ts");
  const { output, isClean } = await checkCommand(args);
  await print(output);
  return isClean ? EXIT_STATUS.stopped : EXIT_STATUS.badUsage;
}

async function runDoctor(args: readonly string[]): Promise<ExitStatus> {
  const [{ doctorCommand }, { askSecret }] = await Promise.all([import("./doctor.ts"), import("./hash_password.ts")]);
  const { output, isWell } = await doctorCommand(args, askSecret);
  await print(output);
  return isWell ? EXIT_STATUS.stopped : EXIT_STATUS.couldNotRun;
}

/** Asks a running server, or steers it. */
async function runAdmin(name: typeof ADMIN_COMMANDS[number], args: readonly string[]): Promise<ExitStatus> {
  if (name === "top") {
    const table = await (await import("./top.ts")).topCommand(args);
    return table === "" ? EXIT_STATUS.stopped : await printed(table);
  }
  const { adminCommand } = await import("./admin.ts");
  const { output, isGood } = await adminCommand(name, args);
  await print(output);
  return isGood ? EXIT_STATUS.stopped : EXIT_STATUS.couldNotRun;
}

async function runServe(
  args: readonly string[],
  log: LogWriter,
  signals: ProcessSignals = ProcessSignals.listen(),
): Promise<ExitStatus> {
  signals.beginStart();
  const parsed = parseArguments(args);
  if (parsed.switches.has("help")) return await printed(shortHelp());
  if (parsed.switches.has("version")) return await printed(`ftpsd ${project.version}`);
  const [folder] = parsed.operands;
  if (folder !== undefined && folder === args[0]) await refuseMistypedCommand(folder);
  const { serve } = await import("./serve.ts");
  const output = {
    write: (line: string) => log.write(line),
    isColored: isColored(),
    listen: (listeners: LogListeners) => log.listen(listeners),
  };
  await serve(parsed, output, { signals });
  return EXIT_STATUS.stopped;
}

function helpCommand([name, ...rest]: readonly string[]): string {
  if (name === undefined || name === "help" || name.startsWith("-")) return shortHelp();
  const row = findCommandRow(name);
  if (row !== undefined && rest.length === 0) return commandHelp(row);
  const unknownWord = row === undefined ? { typed: name, known: COMMAND_NAMES } : undefined;
  const message = row === undefined ? `there is no command "${name}"` : `help for one command at a time, not ${rest}`;
  throw new UsageError(`${message} (help)`, "ftpsd --help", { unknownWord });
}

/** A folder that is not there, and named almost like a command, is taken for a mistyped command. */
async function refuseMistypedCommand(word: string): Promise<void> {
  const unknownWord = { typed: word, known: COMMAND_NAMES };
  const error = new UsageError(`there is no command "${word}"`, `ftpsd --help; for a folder: ftpsd ./${word}`, {
    unknownWord,
  });
  if (!/^[a-z-]+$/.test(word) || await exists(word)) return;
  if (await messageOf(error) !== error.message) throw error;
}

/** Whether there is such a file, as far as Deno permits to look. */
async function exists(path: string): Promise<boolean> {
  if ((await Deno.permissions.query({ name: "read", path })).state !== "granted") return false;
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function printed(text: string): Promise<ExitStatus> {
  await print(text);
  return EXIT_STATUS.stopped;
}

function requireDeno(version: string): void {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > OLDEST_DENO.major || (major === OLDEST_DENO.major && minor >= OLDEST_DENO.minor)) return;
  throw new StartError(`Deno ${version} is too old, 2.8 or newer is needed`, "deno upgrade");
}

async function fail(error: unknown, log: LogWriter): Promise<ExitStatus> {
  const logError = (message: string) =>
    log.write(`${isColored() ? inColorOf("error", "error:") : "error:"} ${message}`);
  if (error instanceof ConfigurationError) {
    for (const finding of error.findings) logError(formatFinding(finding));
    log.write(`hint: ftpsd check --config ${shellWord(error.findings[0]?.place?.file ?? "FILE")}`);
    return EXIT_STATUS.badUsage;
  }
  const exitError = toExitError(error);
  for (const line of (await messageOf(exitError)).split("\n")) logError(line);
  log.write(`hint: ${exitError.hint}`);
  return exitError.status;
}

function toExitError(error: unknown): ExitError {
  if (error instanceof ExitError) return error;
  const refusal = error instanceof Deno.errors.NotCapable ? explainRefusal(error) : undefined;
  return refusal ?? new StartError(error instanceof Error ? error.message : String(error), "ftpsd --help");
}

/** Colors are for terminals; who sets `NO_COLOR` wants none there, too. */
function isColored(): boolean {
  return Deno.stderr.isTerminal() && !Deno.noColor;
}

/**
 * Writes to standard output. A reader who has left, as `head` does, is no reason to stop.
 *
 * @throws {StartError} When it cannot be written.
 */
async function print(text: string): Promise<void> {
  const output = new LogWriter(Deno.stdout, { maxBytes: Infinity });
  let failure: unknown;
  output.listen({ onFailed: (error) => failure = error });
  output.write(text);
  await output.end(Infinity);
  if (failure === undefined || failure instanceof Deno.errors.BrokenPipe) return;
  const reason = failure instanceof Error ? failure.message : String(failure);
  throw new StartError(`cannot write to standard output: ${reason}`, "ftpsd --help", { cause: failure });
}
