/**
 * The command line program.
 *
 * @module
 */

import project from "../../deno.json" with { type: "json" };
import { ConfigurationError, formatProblem } from "../config/problem.ts";
import { CERT_OPTIONS, certCommand } from "./cert.ts";
import { CHECK_OPTIONS, checkCommand } from "./check.ts";
import { EXIT_STATUS, ExitError, type ExitStatus, StartError } from "./exit_error.ts";
import { hashPasswordCommand } from "./hash_password.ts";
import { commandHelpText, helpText, parseArguments } from "./option_table.ts";
import { explainRefusal } from "./permissions.ts";
import { PERMISSIONS_OPTIONS, permissionsCommand } from "./print_permissions.ts";
import { serve } from "./serve.ts";

/** Oldest Deno whose `node:tls` can be a STARTTLS server. */
const OLDEST_DENO = { major: 2, minor: 8 };

/** Sub-commands beside `serve`; each gives its exit status. */
const COMMANDS: Readonly<Record<string, (args: readonly string[]) => Promise<ExitStatus>>> = {
  check: async (args) => {
    const { output, isClean } = await checkCommand(args);
    print(output);
    return isClean ? EXIT_STATUS.stopped : EXIT_STATUS.badUsage;
  },
  permissions: async (args) => printed(await permissionsCommand(args)),
  "hash-password": async (args) => printed(await hashPasswordCommand(args)),
  cert: async (args) => printed(await certCommand(args)),
};

/** Helps of the sub-commands. */
const HELPS: Readonly<Record<string, string>> = {
  check: commandHelpText(
    "ftpsd check [DIR] [options of serve] [options]",
    "Tell everything that is wrong, risky or doubtful about a configuration. Exit status 0 when the server would start.",
    CHECK_OPTIONS,
  ),
  permissions: commandHelpText(
    "ftpsd permissions --config FILE [options]",
    "Print the narrowest deno run line that starts a configuration.",
    PERMISSIONS_OPTIONS,
  ),
  "hash-password": commandHelpText(
    "ftpsd hash-password",
    "Ask for a password, or read it from standard input, and print its hash for the configuration file.",
    [],
  ),
  cert: commandHelpText("ftpsd cert [options]", "Make a self-signed certificate for development.", CERT_OPTIONS),
};

/** Runs the program to its end; tells the exit status. Never rejects. */
export async function run(args: readonly string[]): Promise<ExitStatus> {
  try {
    requireDeno(Deno.version.deno);
    const [name = "", ...rest] = args;
    const command = COMMANDS[name];
    if (command === undefined) return await runServe(name === "serve" ? rest : args);
    const wantsHelp = rest.includes("--help") || rest.includes("-h");
    return wantsHelp ? printed(HELPS[name] ?? helpText()) : await command(rest);
  } catch (error) {
    return fail(error);
  }
}

async function runServe(args: readonly string[]): Promise<ExitStatus> {
  const parsed = parseArguments(args);
  if (parsed.switches.has("help")) return printed(helpText());
  if (parsed.switches.has("version")) return printed(`ftpsd ${project.version}`);
  await serve(parsed, logLine);
  return EXIT_STATUS.stopped;
}

function printed(text: string): ExitStatus {
  print(text);
  return EXIT_STATUS.stopped;
}

function requireDeno(version: string): void {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > OLDEST_DENO.major || (major === OLDEST_DENO.major && minor >= OLDEST_DENO.minor)) return;
  throw new StartError(`Deno ${version} is too old, 2.8 or newer is needed`, "deno upgrade");
}

function fail(error: unknown): ExitStatus {
  if (error instanceof ConfigurationError) {
    for (const problem of error.problems) logLine(`error: ${formatProblem(problem)}`);
    logLine("hint: ftpsd check tells the rest once the file can be read");
    return EXIT_STATUS.badUsage;
  }
  const { message, hint, status } = toExitError(error);
  logLine(`error: ${message}`);
  logLine(`hint: ${hint}`);
  return status;
}

function toExitError(error: unknown): ExitError {
  if (error instanceof ExitError) return error;
  const refusal = error instanceof Deno.errors.NotCapable ? explainRefusal(error) : undefined;
  return refusal ?? new StartError(error instanceof Error ? error.message : String(error), "ftpsd --help");
}

function print(text: string): void {
  writeAll(Deno.stdout, `${text}\n`);
}

function logLine(line: string): void {
  writeAll(Deno.stderr, `${line}\n`);
}

/** A reader who has left, as `head` does, is no reason to stop. */
function writeAll(output: { writeSync(bytes: Uint8Array): number }, text: string): void {
  try {
    let bytes = new TextEncoder().encode(text);
    while (bytes.length > 0) bytes = bytes.subarray(output.writeSync(bytes));
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}
