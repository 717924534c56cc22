/**
 * Client programs, run to their end or interrupted.
 *
 * @module
 */

import type { Operation, Step, Target } from "./real_client.ts";

/** A client that takes longer hangs, and is killed. On a busy machine two thousand files of lftp, or 1 GiB, take 40 s. */
const DEADLINE_MS = 180_000;

/** How a client program is run. */
export interface ClientRun {
  /** What it reads from stdin; absent: nothing. */
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Folder that it runs in; default: its HOME. */
  readonly cwd?: string;
  /** What its output must not hold, for programs whose exit status says nothing. */
  readonly complaint?: RegExp;
  /** Exit statuses of success; default: 0. */
  readonly success?: readonly number[];
  /** Stops what it is at, by a signal or by more input, as soon as that is on its way. */
  readonly interruption?: { readonly when: Promise<unknown>; readonly by?: "SIGINT"; readonly then: string };
}

/**
 * Runs a client program that has to succeed, with a HOME of its own.
 *
 * @returns What it wrote to stdout.
 * @throws {Error} With all its output, when it fails or complains.
 */
export async function runClient(
  { scratch }: Pick<Target, "scratch">,
  program: string,
  args: readonly string[],
  options: ClientRun = {},
): Promise<string> {
  const { input, env = {}, cwd = scratch, complaint, success = [0], interruption } = options;
  const child = new Deno.Command(program, {
    args: [...args],
    cwd,
    env: { HOME: scratch, LC_ALL: "C.UTF-8", ...env },
    stdin: input === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const deadline = setTimeout(() => child.kill("SIGKILL"), DEADLINE_MS);
  try {
    const [output] = await Promise.all([
      child.output(),
      input === undefined ? undefined : feed(child, input, interruption),
    ]);
    const stdout = new TextDecoder().decode(output.stdout);
    const stderr = new TextDecoder().decode(output.stderr);
    if (!success.includes(output.code) || complaint?.test(stderr + stdout)) {
      throw new Error(`"${program}" ended with status ${output.code}: ${stderr}${stdout}`);
    }
    return stdout;
  } finally {
    clearTimeout(deadline);
  }
}

async function feed(child: Deno.ChildProcess, input: string, interruption: ClientRun["interruption"]): Promise<void> {
  const writer = child.stdin.getWriter();
  try {
    await writer.write(new TextEncoder().encode(input));
    if (interruption !== undefined) {
      await interruption.when;
      if (interruption.by !== undefined) child.kill(interruption.by);
      await writer.write(new TextEncoder().encode(interruption.then));
    }
    await writer.close();
  } catch (error) {
    // It has gone without reading everything; its exit status and its output tell why.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}

/** Version in a text, as major.minor or a date. */
export function versionIn(text: string): string {
  const version = /\d+\.\d+|\d{8}/.exec(text)?.[0];
  if (version === undefined) throw new Error(`Cannot find a version: ${text}`);
  return version;
}

/** Lines of a text without their ends, but for empty ones. */
export function linesOf(text: string): string[] {
  return text.split(/\r?\n/).filter((line) => line !== "");
}

/** Address as it stands in a URL, with its port. */
export function authorityOf({ host, port }: Pick<Target, "host" | "port">): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** What a client is told to do, with its words quoted. */
export type Commands = { readonly [operation in Operation]?: (there: string, here: string, step: Step) => string };

/** The command of a step, in the language of a client. */
export function commandFor(commands: Commands, step: Step, quoted: (word: string) => string): string {
  const command = commands[step.operation];
  if (command === undefined) throw new TypeError(`Cannot do "${step.operation}"`);
  return command(quoted(step.remote), quoted(step.other), step);
}
