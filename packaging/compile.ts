/**
 * `deno task compile [--published] [TARGET …]`: builds executables of ftpsd, all of them where no target is named, and
 * writes their checksums beside them. With `--published` they are built from the package of this version on JSR, as those
 * of a release.
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

const PUBLISHED = `jsr:${project.name}@${project.version}/cli`;

const FOLDER = "dist";
const CHECKSUMS = `${FOLDER}/SHA256SUMS`;

/** Where the executable of a target is written, from the project's folder. */
export function pathOf(target: Target): string {
  return `${FOLDER}/ftpsd-${project.version}-${target}${target.includes("windows") ? ".exe" : ""}`;
}

/** What an executable is built from. */
export interface CompileOptions {
  /** Where it is written. @default The path of the target in `dist/`. */
  readonly output?: string;
  /**
   * Whether it is built from the published package, which has the real `@std`, in place of this clone with its stand-ins.
   *
   * @default {false}
   */
  readonly isPublished?: boolean;
}

/** Arguments of `deno` that build an executable. */
export function compileArguments(target: Target, options: CompileOptions = {}): string[] {
  const { output = pathOf(target), isPublished = false } = options;
  return [
    "compile",
    // The configuration of the clone would put its stand-ins in the place of packages.
    isPublished ? "--no-config" : "--frozen",
    "--exclude-unused-npm",
    ...PERMISSION_FLAGS,
    `--target=${target}`,
    `--output=${output}`,
    isPublished ? PUBLISHED : "main.ts",
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

/** Builds one executable; returns its line for the checksums, or `undefined` where `deno compile` has told why it failed. */
async function compile(target: Target, options: CompileOptions): Promise<string | undefined> {
  const command = new Deno.Command(Deno.execPath(), { args: compileArguments(target, options) });
  const { success } = await command.spawn().status;
  if (!success) return undefined;
  const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(pathOf(target)));
  return checksumLine(new Uint8Array(digest), pathOf(target));
}

if (import.meta.main) {
  const lines: string[] = [];
  const isPublished = Deno.args.includes("--published");
  for (const target of readTargets(Deno.args.filter((argument) => argument !== "--published"))) {
    const line = await compile(target, { isPublished });
    if (line === undefined) Deno.exit(1);
    lines.push(line);
  }
  await Deno.writeTextFile(CHECKSUMS, `${lines.join("\n")}\n`);
}
