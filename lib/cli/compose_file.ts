/**
 * A compose file that runs a configuration in a container.
 *
 * @module
 */

import type { Configuration } from "../settings/table.ts";
import type { PermissionNeeds } from "../check/permission_needs.ts";
import { RUNTIME_VARIABLES } from "./runtime_variables.ts";

/** The image that holds Deno; the version is the one that the tests run on. */
export const DENO_IMAGE = "denoland/deno:2.9.6";

/** Writes the file. */
export function formatComposeFile(
  { listen: listeners, passive }: Configuration,
  { needs, command }: { readonly needs: PermissionNeeds; readonly command: readonly string[] },
): string {
  const { read, write } = needs;
  // A `$` begins a variable; two stand for one. In a replacement text they do, too.
  const quoted = (text: string) => JSON.stringify(text.replaceAll("$", "$$$$"));
  const listen = listeners.map(({ port }) => `${port}:${port}`);
  const range = passive.ports;
  const ports = range === undefined ? listen : [...listen, `${range.from}-${range.to}:${range.from}-${range.to}`];
  const mounts = [
    ...read.filter((path) => !write.includes(path)).map((path) => `${path}:${path}:ro`),
    ...write.map((path) => `${path}:${path}`),
  ];
  const isLocal = listeners.some(({ host }) => host.startsWith("127.") || host === "::1");
  return [
    ...isLocal ? ["# Nobody outside the container reaches a loopback address: give listen a host of 0.0.0.0."] : [],
    "services:",
    "  ftpsd:",
    `    image: ${DENO_IMAGE}`,
    `    command: [${command.map(quoted).join(", ")}]`,
    `    environment: [${RUNTIME_VARIABLES.join(", ")}]`,
    `    ports: [${ports.map(quoted).join(", ")}]`,
    "    volumes:",
    ...mounts.map((mount) => `      - ${quoted(mount)}`),
    "      - deno-cache:/deno-dir",
    "    user: deno",
    "    read_only: true",
    "    cap_drop: [ALL]",
    "    security_opt: [no-new-privileges:true]",
    "    restart: unless-stopped",
    "volumes:",
    "  deno-cache:",
  ].join("\n");
}
