/**
 * `deno task compile [TARGET …]`: builds executables of ftpsd, all of them where no target is named, and writes their
 * checksums beside them.
 *
 * @module
 */

import project from "../deno.json" with { type: "json" };

/** Systems that executables are made for, as `deno compile` calls them. */
export const TARGETS = [
  "x86_64-unknown-linux-gnu",
  "aarch64-unknown-linux-gnu",
  "x86_64-apple-darwin",
  "aarch64-apple-darwin",
  "x86_64-pc-windows-msvc",
] as const;

/** System that an executable is made for. */
export type Target = typeof TARGETS[number];

/**
 * Permissions of the executables: they can be neither given nor taken when one is started. A server needs the network and
 * its files, and nothing that runs other code; `ftpsd` itself gives up writing where nobody may write.
 */
export const PERMISSION_FLAGS = ["--no-prompt", "--allow-net", "--allow-read", "--allow-write"] as const;

/** Modules that no import names, so that the compiler does not find them. */
const WORKERS = ["lib/cli/worker_program.ts"] as const;

const FOLDER = "dist";
const CHECKSUMS = `${FOLDER}/SHA256SUMS`;

/** Where the executable of a target is written, from the project's folder. */
export function pathOf(target: Target): string {
  return `${FOLDER}/ftpsd-${project.version}-${target}${target.includes("windows") ? ".exe" : ""}`;
}

/** Arguments of `deno` that build an executable. */
export function compileArguments(target: Target, output = pathOf(target)): string[] {
  return [
    "compile",
    "--frozen",
    "--exclude-unused-npm",
    ...PERMISSION_FLAGS,
    ...WORKERS.map((module) => `--include=${module}`),
    `--target=${target}`,
    `--output=${output}`,
    "main.ts",
  ];
}

/** One line of `sha256sum`. */
export function checksumLine(digest: Uint8Array, path: string): string {
  return `${digest.toHex()}  ${path.replace(/^.*\//, "")}`;
}

/**
 * Reads which targets are meant.
 *
 * @throws {TypeError} When there is none of that name.
 */
export function readTargets(args: readonly string[]): readonly Target[] {
  const targets = args.map((name) => {
    const target = TARGETS.find((target) => target === name);
    if (target === undefined) throw new TypeError(`Cannot compile for "${name}": it is none of ${TARGETS.join(", ")}`);
    return target;
  });
  return targets.length === 0 ? TARGETS : targets;
}

/** Builds one executable; gives its line for the checksums, or `undefined` where `deno compile` has told why it failed. */
async function compile(target: Target): Promise<string | undefined> {
  const command = new Deno.Command(Deno.execPath(), { args: compileArguments(target) });
  const { success } = await command.spawn().status;
  if (!success) return undefined;
  const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(pathOf(target)));
  return checksumLine(new Uint8Array(digest), pathOf(target));
}

if (import.meta.main) {
  const lines: string[] = [];
  for (const target of readTargets(Deno.args)) {
    const line = await compile(target);
    if (line === undefined) Deno.exit(1);
    lines.push(line);
  }
  await Deno.writeTextFile(CHECKSUMS, `${lines.join("\n")}\n`);
}
