/**
 * Deno's permissions as they were granted, against those that a configuration needs.
 *
 * @module
 */

import type { Finding } from "../settings/finding.ts";
import type { PermissionNeeds } from "./permission_needs.ts";
import { StartError } from "./exit_error.ts";
import { shellWord } from "./shell_word.ts";

/** Returns which flags are missing, exactly; none when everything needed was granted. */
export async function findMissingFlags({ net, read, write }: PermissionNeeds): Promise<string[]> {
  const hosts = net.length === 0 ? [undefined] : net;
  return [
    ...flagsFor("net", await notGranted(hosts.map((host) => ({ name: "net", ...host && { host } })))),
    ...await findMissingPathFlags({ read, write }),
  ];
}

/** The same of paths alone. */
export async function findMissingPathFlags({ read, write }: Omit<PermissionNeeds, "net">): Promise<string[]> {
  return [
    ...flagsFor("read", await notGranted(read.map((path) => ({ name: "read", path })))),
    ...flagsFor("write", await notGranted(write.map((path) => ({ name: "write", path })))),
  ];
}

/** Whether the program is an executable, whose permissions were decided when it was built. */
const IS_EXECUTABLE = Deno.build.standalone;

/** The error for flags that are missing. */
export function permissionMissing(
  flags: readonly string[],
  cause?: unknown,
  { isExecutable = IS_EXECUTABLE }: { readonly isExecutable?: boolean } = {},
): StartError {
  const text = flags.join(" ");
  const hint = isExecutable
    ? "ftpsd permissions --compile prints the line that builds an executable with it"
    : `deno run ${text} …`;
  return new StartError(`Deno does not permit what this needs (${text} missing)`, hint, { cause });
}

/** The error for a path that Deno does not let be used. */
export function pathPermissionMissing(name: "read" | "write", path: string, cause?: unknown): StartError {
  return permissionMissing(flagsFor(name, [path]), cause);
}

/** Kinds that no configuration needs. A part of one, as `--allow-run=/bin/sh`, cannot be asked for without its name. */
const NEVER_NEEDED = ["run", "ffi", "env"] as const;

/**
 * Gives up, until the end of the process, all permissions that serving never needs, parts of them too, which nobody can see.
 * An executable also gives up writing where nobody may write: it has more permissions than its configuration may need, and
 * nobody could start it with less.
 */
export async function giveUpExcess(
  { write }: PermissionNeeds,
  { isExecutable = IS_EXECUTABLE }: { readonly isExecutable?: boolean } = {},
): Promise<void> {
  for (const name of NEVER_NEEDED) await Deno.permissions.revoke({ name });
  if (isExecutable && write.length === 0) await Deno.permissions.revoke({ name: "write" });
}

/**
 * Names the flag for what Deno has refused, as the target of a link in the shared folder's path.
 *
 * @returns `undefined` when the refusal does not tell.
 */
export function explainRefusal(refusal: Deno.errors.NotCapable): StartError | undefined {
  const [, name, value] = /^Requires (read|write|net) access to "(.+)",?/.exec(refusal.message) ?? [];
  return name === undefined || value === undefined ? undefined : permissionMissing(flagsFor(name, [value]), refusal);
}

/** What permissions are compared with. */
export interface ExcessOptions {
  /** Whether a whole kind that was granted where a part would do is worth a warning; a quick share is typed without parts. */
  readonly findsBreadth: boolean;
  readonly isExecutable?: boolean;
}

/**
 * Finds permissions beyond those that are needed: they only help somebody who has found a hole. What no configuration needs,
 * and writing everywhere where nobody may write, is a risk; more of a kind than would do is a warning, since another
 * configuration, after a reload, may need it.
 */
export async function findExcessPermissions(
  needs: PermissionNeeds,
  { findsBreadth, isExecutable = IS_EXECUTABLE }: ExcessOptions,
): Promise<Finding[]> {
  const mayWrite = needs.write.length > 0;
  const excess = await grantedFlags([
    ...NEVER_NEEDED.map((name) => ({ name })),
    // Executables give it up when they serve.
    ...isExecutable || mayWrite ? [] : everyPath("write"),
  ]);
  const isWritingFound = excess.some((flag) => flag.startsWith("--allow-write"));
  const wide = isExecutable || !findsBreadth ? [] : await grantedFlags([
    ...needs.net.length === 0 ? [] : [{ name: "net" } as const],
    ...needs.read.length === 0 || needs.read.some((path) => ROOTS.includes(path)) ? [] : everyPath("read"),
    ...isWritingFound
      ? []
      : [...everyPath("write"), ...onlyRead(needs).map((path) => ({ name: "write", path } as const))],
  ]);
  const path = ["permissions"];
  const message = (what: string, flags: readonly string[]) =>
    `${what}: ${flags.join(" ")}; ftpsd permissions prints what is`;
  return [
    ...excess.length === 0
      ? []
      : [{ severity: "risk", risk: "excess-permissions", path, message: message("not needed", excess) } as const],
    ...wide.length === 0 ? [] : [{ severity: "warning", path, message: message("wider than needed", wide) } as const],
  ];
}

/** Root folders: who may write there may write everywhere. */
const ROOTS = Deno.build.os === "windows" ? ["C:\\", "D:\\"] : ["/"];

function onlyRead({ read, write }: PermissionNeeds): string[] {
  return read.filter((path) => !write.some((folder) => path === folder || path.startsWith(`${folder}/`)));
}

function everyPath(name: "read" | "write"): Deno.PermissionDescriptor[] {
  return [{ name }, ...ROOTS.map((path) => ({ name, path }))];
}

/** Flags for those that were granted; the first of a kind that covers everything stands for the others. */
async function grantedFlags(descriptors: readonly Deno.PermissionDescriptor[]): Promise<string[]> {
  const flags: string[] = [];
  const covered = new Set<string>();
  for (const descriptor of descriptors) {
    const { name } = descriptor;
    if (covered.has(name) || !await isGranted(descriptor)) continue;
    const value = valueOf(descriptor);
    flags.push(value === "" ? `--allow-${name}` : `--allow-${name}=${shellWord(value)}`);
    if (value === "" || ROOTS.includes(value)) covered.add(name);
  }
  return flags;
}
/** Values that were not granted; an empty text stands for all of a kind. */
async function notGranted(descriptors: readonly Deno.PermissionDescriptor[]): Promise<string[]> {
  const missing: string[] = [];
  for (const descriptor of descriptors) {
    if (!await isGranted(descriptor)) missing.push(valueOf(descriptor));
  }
  return missing;
}

async function isGranted(descriptor: Deno.PermissionDescriptor): Promise<boolean> {
  return (await Deno.permissions.query(descriptor)).state === "granted";
}

function valueOf(descriptor: Deno.PermissionDescriptor): string {
  if ("host" in descriptor) return descriptor.host ?? "";
  return "path" in descriptor ? String(descriptor.path ?? "") : "";
}

/** Deno cuts the value at each comma, so that a path that has one can only be granted with all others. */
function flagsFor(name: string, values: readonly string[]): string[] {
  const isAll = (value: string) => value === "" || value.includes(",");
  if (values.some(isAll)) return [`--allow-${name}`];
  // Ports are many; paths are each worth a flag of their own.
  if (name === "net") return values.length === 0 ? [] : [`--allow-net=${shellWord(values.join(","))}`];
  return values.map((value) => `--allow-${name}=${shellWord(value)}`);
}
