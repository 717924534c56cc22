/**
 * `ftpsd hash-password`: makes the hash of a password, for the configuration file or `--password-file`.
 *
 * @module
 */

import { promptSecret } from "@std/cli/prompt-secret";
import { findPasswordProblem, findPasswordWeakness, hashNewPassword } from "../check/account_findings.ts";
import { UsageError } from "../check/exit_error.ts";

/** Where the password comes from. */
export interface PasswordInput {
  /** Asks on the terminal, without echo; `null` when stdin is none. */
  ask(message: string): string | null;
  /** Reads bytes from stdin; tells how many, `null` at the end. */
  read(buffer: Uint8Array): Promise<number | null>;
  /** Shows a line beside the hash. */
  warn(line: string): void;
  /** Whether somebody reads and answers. @default {what stdin is} */
  readonly isTerminal?: boolean;
}

/** Stdin and the terminal of the program. */
const OWN_INPUT: PasswordInput = {
  ask: askSecret,
  read: (buffer) => Deno.stdin.read(buffer),
  warn: (line) => void Deno.stderr.writeSync(new TextEncoder().encode(`${line}\n`)),
};

const WAYS = "ftpsd hash-password (asks for it), or: ftpsd hash-password < FILE";
/** More than any password may have; what follows is not read. */
const MAX_LINE_BYTES = 4096;

/**
 * Asks twice for a password, or reads one line where stdin is not a terminal, and hashes it.
 *
 * @param args What follows `hash-password` on the command line. A password there would show in the list of processes and
 * in the history of the shell, and is refused.
 * @returns The hash, to print alone on a line.
 * @throws {UsageError} For any argument, and for a password that cannot be used.
 */
export async function hashPasswordCommand(args: readonly string[], input: PasswordInput = OWN_INPUT): Promise<string> {
  // Not shown: it may be the password.
  if (args.length > 0) {
    throw new UsageError("hash-password takes no arguments; others on this host could see a password there", WAYS);
  }
  return await hashOf(await askPassword({ command: "hash-password", ways: WAYS }, input), "hash-password", input);
}

/** What asks for a password, and how else it can be given. */
export interface PasswordAsker {
  /** The command, for messages. */
  readonly command: string;
  /** What to type instead. */
  readonly ways: string;
}

/**
 * Asks twice for a password, or reads one line where stdin is not a terminal.
 *
 * @throws {UsageError} When it cannot be used.
 */
export async function askPassword(asker: PasswordAsker, input: PasswordInput = OWN_INPUT): Promise<string> {
  const password = input.ask("Password:");
  if (password === null) return accept(await readLine(input), asker);
  accept(password, asker);
  if (input.ask("Password again:") !== password) {
    throw new UsageError(`the two passwords differ (${asker.command})`, `ftpsd ${asker.command}`);
  }
  return password;
}

/** Makes the hash also of a weak password: whose it is decides. */
export async function hashOf(
  password: string,
  command: string,
  { warn }: Pick<PasswordInput, "warn"> = OWN_INPUT,
): Promise<string> {
  const weakness = findPasswordWeakness(password);
  if (weakness !== undefined) warn(`warning: the password ${weakness} (${command})`);
  return await hashNewPassword(password);
}

function accept(password: string, { command, ways }: PasswordAsker): string {
  const problem = findPasswordProblem(password);
  if (problem !== undefined) throw new UsageError(`the password ${problem} (${command})`, ways);
  return password;
}

/** Reads up to the end of the first line, which is no part of it. */
async function readLine(input: PasswordInput): Promise<string> {
  const line = new Uint8Array(MAX_LINE_BYTES);
  let length = 0;
  let end = -1;
  while (end < 0 && length < line.length) {
    const count = await input.read(line.subarray(length));
    if (count === null) break;
    length += count;
    end = line.subarray(0, length).indexOf(0x0a);
  }
  return new TextDecoder().decode(line.subarray(0, end < 0 ? length : end)).replace(/\r$/, "");
}

/** Asks on the terminal, without echo; `null` when stdin is none. */
export function askSecret(message: string): string | null {
  return Deno.stdout.isTerminal() ? promptSecret(message, { mask: "" }) : askOnStderr(message);
}

/** The same as `promptSecret`, which asks on stdout, for when that is to hold nothing but the hash. */
function askOnStderr(message: string): string | null {
  if (!Deno.stdin.isTerminal()) return null;
  const encoder = new TextEncoder();
  setRaw({ isRaw: true });
  try {
    Deno.stderr.writeSync(encoder.encode(`${message} `));
    return readKeys();
  } finally {
    setRaw({ isRaw: false });
    Deno.stderr.writeSync(encoder.encode("\n"));
  }
}

/** Without `cbreak`, the terminal would not turn Ctrl-C into a signal; Windows has no such mode. */
function setRaw({ isRaw }: { readonly isRaw: boolean }): void {
  Deno.stdin.setRaw(isRaw, { cbreak: isRaw && Deno.build.os !== "windows" });
}

/** Reads what is typed until Enter; Backspace takes back a character. */
function readKeys(): string {
  const typed: number[] = [];
  const key = new Uint8Array(1);
  while (Deno.stdin.readSync(key) !== null) {
    const [byte = 0] = key;
    if (byte === 0x0a || byte === 0x0d) break;
    if (byte !== 0x08 && byte !== 0x7f) typed.push(byte);
    // Bytes 10xxxxxx continue a character (RFC 3629 §3).
    else while (((typed.pop() ?? 0) & 0xc0) === 0x80);
  }
  return new TextDecoder().decode(new Uint8Array(typed));
}
