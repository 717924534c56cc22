/**
 * The Deno permissions that `ftpsd serve` needs, asked for before anything is opened.
 *
 * @module
 */

import { StartError } from "./exit_error.ts";
import type { ServeSettings } from "./serve_settings.ts";

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
  const flags = [...new Set(missing)].join(" ");
  throw new StartError(`Deno does not permit what this needs (${flags} missing)`, `deno run ${flags} …`);
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
    ...read.map((path) => ({ descriptor: { name: "read", path } as const, flag: `--allow-read=${path}` })),
    ...write ? [{ descriptor: { name: "write", path: directory } as const, flag: `--allow-write=${directory}` }] : [],
  ];
}

function netPermission(host: string): NeededPermission {
  const bracketed = host.includes(":") ? `[${host}]` : host;
  return { descriptor: { name: "net", host: bracketed }, flag: `--allow-net=${bracketed}` };
}

function passwordFile(user: ServeSettings["user"]): string | undefined {
  return user !== undefined && "file" in user.password ? user.password.file : undefined;
}
