/**
 * The command line program.
 *
 * @module
 */

import project from "../../deno.json" with { type: "json" };
import { EXIT_STATUS, ExitError, type ExitStatus, StartError } from "./exit_error.ts";
import { helpText, parseArguments } from "./option_table.ts";
import { explainRefusal } from "./permissions.ts";
import { serve } from "./serve.ts";
import { readServeSettings } from "./serve_settings.ts";

/** Oldest Deno whose `node:tls` can be a STARTTLS server. */
const OLDEST_DENO = { major: 2, minor: 8 };

/** Runs the program to its end; tells the exit status. Never rejects. */
export async function run(args: readonly string[]): Promise<ExitStatus> {
  try {
    requireDeno(Deno.version.deno);
    const parsed = parseArguments(args[0] === "serve" ? args.slice(1) : args);
    if (parsed.switches.has("help")) print(helpText());
    else if (parsed.switches.has("version")) print(`ftpsd ${project.version}`);
    else await serve(readServeSettings(parsed), logLine);
    return EXIT_STATUS.stopped;
  } catch (error) {
    return fail(error);
  }
}

function requireDeno(version: string): void {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > OLDEST_DENO.major || (major === OLDEST_DENO.major && minor >= OLDEST_DENO.minor)) return;
  throw new StartError(`Deno ${version} is too old, 2.8 or newer is needed`, "deno upgrade");
}

function fail(error: unknown): ExitStatus {
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
