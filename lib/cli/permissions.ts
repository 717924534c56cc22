/**
 * Deno's permissions as they were granted, against those that a configuration needs.
 *
 * @module
 */

import type { Finding } from "../config/finding.ts";
import type { PermissionNeeds } from "../config/permission_needs.ts";
import { StartError } from "./exit_error.ts";
import { shellWord } from "./shell_word.ts";

/** Tells which flags are missing, exactly; none when everything needed was granted. */
export async function findMissingFlags({ net, read, write }: PermissionNeeds): Promise<string[]> {
  const hosts = net.length === 0 ? [undefined] : net;
  return [
    ...flagsFor("net", await notGranted(hosts.map((host) => ({ name: "net", ...host && { host } })))),
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

/**
 * Gives up writing, until the end of the process, where nobody may write. An executable has more permissions than its
 * configuration may need, and nobody could start it with less; of anything else this is asked at start.
 */
export async function giveUpExcess(
  { write }: PermissionNeeds,
  { isExecutable = IS_EXECUTABLE }: { readonly isExecutable?: boolean } = {},
): Promise<void> {
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

/** Finds permissions that no configuration like this needs: they only help somebody who has found a hole. */
export async function findExcessPermissions(
  needs: PermissionNeeds,
  { isExecutable = IS_EXECUTABLE }: { readonly isExecutable?: boolean } = {},
): Promise<Finding[]> {
  const excess: Deno.PermissionDescriptor[] = [
    { name: "run" },
    { name: "ffi" },
    { name: "env" },
    // Executables give it up when they serve.
    ...needs.write.length === 0 && !isExecutable ? [{ name: "write" } as const] : [],
  ];
  const states = await Promise.all(
    excess.map(async (descriptor) => await isGranted(descriptor) ? descriptor.name : ""),
  );
  const granted = states.filter((name) => name !== "");
  if (granted.length === 0) return [];
  return [{
    severity: "risk",
    risk: "excess-permissions",
    where: "permissions",
    message: `not needed: ${granted.map((name) => `--allow-${name}`).join(" ")}; ftpsd permissions prints what is`,
  }];
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
