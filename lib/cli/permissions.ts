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

/** The error for flags that are missing. */
export function permissionMissing(flags: readonly string[], cause?: unknown): StartError {
  const text = flags.join(" ");
  return new StartError(`Deno does not permit what this needs (${text} missing)`, `deno run ${text} …`, { cause });
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
export async function findExcessPermissions(needs: PermissionNeeds): Promise<Finding[]> {
  const excess: Deno.PermissionDescriptor[] = [
    { name: "run" },
    { name: "ffi" },
    { name: "env" },
    ...needs.write.length === 0 ? [{ name: "write" } as const] : [],
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
