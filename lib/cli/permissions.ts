/**
 * The Deno permissions that `ftpsd serve` needs, asked for before anything is opened.
 *
 * @module
 */

import { StartError } from "./exit_error.ts";
import type { ServeSettings } from "./serve_settings.ts";
import { shellWord } from "./shell_word.ts";

/**
 * Makes sure that everything needed was granted, so that nobody is stopped half-way by a missing flag or a prompt.
 *
 * @throws {StartError} Naming the flags to add.
 */
export async function requirePermissions(settings: ServeSettings): Promise<void> {
  const missing: string[] = [];
  for (const { descriptor, flag } of neededPermissions(settings)) {
    const { state } = await Deno.permissions.query(descriptor);
    if (state !== "granted") missing.push(flag);
  }
  if (missing.length === 0) return;
  throw permissionMissing([...new Set(missing)]);
}

/**
 * Names the flag for what Deno has refused, as the target of a link in the shared folder's path.
 *
 * @returns `undefined` when the refusal does not tell.
 */
export function explainRefusal(refusal: Deno.errors.NotCapable): StartError | undefined {
  const [, name, value] = /^Requires (read|write|net) access to "(.+)",/.exec(refusal.message) ?? [];
  return name === undefined || value === undefined ? undefined : permissionMissing([flagOf(name, value)], refusal);
}

function permissionMissing(flags: readonly string[], cause?: unknown): StartError {
  const text = flags.join(" ");
  return new StartError(`Deno does not permit what this needs (${text} missing)`, `deno run ${text} …`, { cause });
}

/** Deno cuts the value at each comma, so that a path that has one can only be granted with all others. */
function flagOf(name: string, value: string): string {
  return value.includes(",") ? `--allow-${name}` : `--allow-${name}=${shellWord(value)}`;
}

interface NeededPermission {
  readonly descriptor: Deno.PermissionDescriptor;
  readonly flag: string;
}

function neededPermissions(settings: ServeSettings): NeededPermission[] {
  const { certificateFiles, directory, listen, user, write } = settings;
  const files = [certificateFiles?.certificate, certificateFiles?.key, passwordFile(user)];
  const read = [directory, ...files.filter((file) => file !== undefined)];
  return [
    // The host without a port, for the passive ports that will be opened on it.
    ...listen.map(({ host = "127.0.0.1" }) => netPermission(host)),
    ...read.map((path) => pathPermission("read", path)),
    ...write ? [pathPermission("write", directory)] : [],
  ];
}

function netPermission(host: string): NeededPermission {
  const bracketed = host.includes(":") ? `[${host}]` : host;
  return { descriptor: { name: "net", host: bracketed }, flag: flagOf("net", bracketed) };
}

function pathPermission(name: "read" | "write", path: string): NeededPermission {
  return { descriptor: { name, path }, flag: flagOf(name, path) };
}

function passwordFile(user: ServeSettings["user"]): string | undefined {
  return user !== undefined && "file" in user.password ? user.password.file : undefined;
}
