/**
 * Programs run to their end, with a deadline.
 *
 * @module
 */

/** How a program is run. */
export interface RunOptions {
  /** Further variables of its environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Folder that it works in; absent: that of the tests. */
  readonly cwd?: string;
  /** Longest time in milliseconds, then it is killed; default 60,000. */
  readonly deadlineMs?: number;
}

/** What a program has left. */
export interface ProgramOutput {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end. A missed deadline shows as the exit status of SIGKILL, 137. */
export async function runProgram(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<ProgramOutput> {
  const { env = {}, cwd, deadlineMs = 60_000 } = options;
  const child = new Deno.Command(program, {
    args: [...args],
    env,
    ...cwd && { cwd },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  })
    .spawn();
  const deadline = setTimeout(() => child.kill("SIGKILL"), deadlineMs);
  try {
    const { code, stdout, stderr } = await child.output();
    const decoder = new TextDecoder();
    return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
  } finally {
    clearTimeout(deadline);
  }
}

/**
 * Runs a program that has to succeed.
 *
 * @returns What it wrote to stdout.
 * @throws {Error} With all its output, when its exit status is not 0.
 */
export async function requireProgram(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const { code, stdout, stderr } = await runProgram(program, args, options);
  if (code !== 0) throw new Error(`"${program}" ended with status ${code}: ${stderr}${stdout}`);
  return stdout;
}
