/**
 * Tests that need a program of the machine, such as curl.
 *
 * @module
 */

/** A test that needs a program, its name and what it does. */
export interface ProgramTest {
  /** Name of the program, looked for on the PATH, or path of a file. */
  readonly program: string;
  /** Name of the test. */
  readonly name: string;
  /** The test itself. */
  readonly fn: (context: Deno.TestContext) => void | Promise<void>;
}

/** What decides about a test, replaceable for tests of this module. */
export interface ProgramEnvironment {
  /** Returns whether a program is installed. */
  readonly isInstalled: (program: string) => boolean;
  /** Whether a missing program is a failure. */
  readonly ci: boolean;
}

/**
 * Makes the definition of a test that runs where its program is installed. Elsewhere it is ignored and its name says why,
 * or fails when `CI` is `true`, so that the full suite never passes without its clients.
 *
 * @example
 * ```ts ignore
 * Deno.test(programTest({ program: "curl", name: "RETR serves curl", fn: async () => {} }));
 * ```
 */
export function programTest(
  test: ProgramTest,
  environment: ProgramEnvironment = ownEnvironment(),
): Deno.TestDefinition {
  const { program, name, fn } = test;
  if (environment.isInstalled(program)) return { name, fn };
  if (!environment.ci) return { name: `${name} (ignored: ${program} is not installed)`, ignore: true, fn };
  return {
    name,
    fn: () => {
      throw new Error(`Cannot run this test: "${program}" is not installed, and CI is true`);
    },
  };
}

/** Returns whether a program is on the PATH; an absolute path may name any file. */
export function isInstalled(program: string): boolean {
  if (program.startsWith("/")) return isFile(program);
  const folders = (Deno.env.get("PATH") ?? "").split(Deno.build.os === "windows" ? ";" : ":");
  const suffix = Deno.build.os === "windows" ? ".exe" : "";
  return folders.some((folder) => folder !== "" && isFile(`${folder}/${program}${suffix}`));
}

function ownEnvironment(): ProgramEnvironment {
  return { isInstalled, ci: Deno.env.get("CI") === "true" };
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false; // Not there, or not ours to see: it cannot be run either way.
  }
}
