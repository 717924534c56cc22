/**
 * `ftpsd permissions`: the narrowest line that starts a configuration, alone or in a systemd unit or a compose file.
 *
 * @module
 */

import { isAbsolute } from "node:path";
import { fileURLToPath } from "node:url";
import project from "../../deno.json" with { type: "json" };
import type { Configuration } from "../config/configuration.ts";
import { findPermissionNeeds, formatPermissionFlags } from "../config/permission_needs.ts";
import { UsageError } from "./exit_error.ts";
import { loadConfiguration } from "./load_configuration.ts";
import { type OptionRow, parseArguments, SERVE_OPTIONS } from "./option_table.ts";
import { shellWord } from "./shell_word.ts";

/** Options of `ftpsd permissions`, beside those of `serve`. */
export const PERMISSIONS_OPTIONS: readonly OptionRow[] = [
  { name: "systemd", help: "print a systemd unit that holds the line" },
  { name: "compose", help: "print a compose file that holds it" },
];

/** The program as it is published: what a container can have. */
const PUBLISHED = `jsr:${project.name}@${project.version}/cli`;
/** The program that runs now: of a checkout, or the published one. */
const PROGRAM = import.meta.url.startsWith("file:")
  ? fileURLToPath(new URL("../../main.ts", import.meta.url))
  : PUBLISHED;
const FIRST_UNPRIVILEGED_PORT = 1024;

/** Makes the text to print. */
export async function permissionsCommand(args: readonly string[]): Promise<string> {
  const { switches } = parseArguments(args, [...SERVE_OPTIONS, ...PERMISSIONS_OPTIONS]);
  if (switches.has("systemd") && switches.has("compose")) {
    throw new UsageError("--systemd and --compose together", "ftpsd permissions, once for each");
  }
  const own = args.filter((argument) => argument !== "--systemd" && argument !== "--compose");
  const { configuration, file } = await loadConfiguration(parseArguments(own));
  const needs = findPermissionNeeds(configuration, file);
  const flags = ["--no-prompt", ...formatPermissionFlags(needs)];
  if (switches.has("systemd") || switches.has("compose")) requireFullPath(file);
  if (switches.has("systemd")) return systemdUnit(configuration, { flags, own, write: needs.write });
  if (switches.has("compose")) return composeFile(configuration, { flags, own, read: needs.read, write: needs.write });
  return ["deno run", ...flags.map(shellWord), shellWord(PROGRAM), ...own.map(shellWord)].join(" ");
}

/** A service does not start in the folder where this was typed. */
function requireFullPath(file: string | undefined): void {
  if (file === undefined) throw new UsageError("a service needs a file (--config)", "--config /etc/ftpsd.yaml");
  if (!isAbsolute(file)) throw new UsageError(`${file} is not a full path (--config)`, "--config /etc/ftpsd.yaml");
}

function systemdUnit(
  { server }: Configuration,
  { flags, own, write }: { readonly flags: readonly string[]; own: readonly string[]; write: readonly string[] },
): string {
  const isPrivileged = (server.listen ?? []).some(({ port = 2121 }) => port > 0 && port < FIRST_UNPRIVILEGED_PORT);
  const capability = isPrivileged ? "CAP_NET_BIND_SERVICE" : "";
  const words = ["/usr/bin/deno", "run", ...flags, PROGRAM, "serve", ...own].map(systemdWord);
  return [
    "[Unit]",
    "Description=FTPS server",
    "After=network-online.target",
    "Wants=network-online.target",
    "",
    "[Service]",
    `ExecStart=${words.join(" ")}`,
    "ExecReload=/bin/kill -HUP $MAINPID",
    "User=ftpsd",
    "Restart=on-failure",
    "TimeoutStopSec=20",
    "CacheDirectory=ftpsd",
    "Environment=DENO_DIR=/var/cache/ftpsd DENO_NO_UPDATE_CHECK=1",
    `AmbientCapabilities=${capability}`,
    `CapabilityBoundingSet=${capability}`,
    "NoNewPrivileges=yes",
    "ProtectSystem=strict",
    ...write.length === 0 ? [] : [`ReadWritePaths=${write.map(systemdWord).join(" ")}`],
    "PrivateTmp=yes",
    "PrivateDevices=yes",
    "ProtectKernelTunables=yes",
    "ProtectControlGroups=yes",
    "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",
    "RestrictNamespaces=yes",
    "LockPersonality=yes",
    "SystemCallArchitectures=native",
    "",
    "[Install]",
    "WantedBy=multi-user.target",
  ].join("\n");
}

/** systemd takes `%` and `$` for its own, and words in double quotes as one. */
function systemdWord(word: string): string {
  const escaped = word.replaceAll("%", "%%").replaceAll("$", "$$$$");
  return /^[\w@%+=:,./[\]-]+$/.test(escaped) ? escaped : `"${escaped.replace(/["\\]/g, "\\$&")}"`;
}

function composeFile(
  { server }: Configuration,
  paths: {
    readonly flags: readonly string[];
    readonly own: readonly string[];
    readonly read: readonly string[];
    readonly write: readonly string[];
  },
): string {
  const { flags, own, read, write } = paths;
  const quoted = (text: string) => JSON.stringify(text.replaceAll("$", "$$"));
  const listen = (server.listen ?? [{}]).map(({ port = 2121 }) => `${port}:${port}`);
  const range = server.passive?.ports;
  const ports = range === undefined ? listen : [...listen, `${range.from}-${range.to}:${range.from}-${range.to}`];
  const mounts = [
    ...read.filter((path) => !write.includes(path)).map((path) => `${path}:${path}:ro`),
    ...write.map((path) => `${path}:${path}`),
  ];
  const isLocal = (server.listen ?? [{}]).some(({ host = "127.0.0.1" }) => host.startsWith("127.") || host === "::1");
  return [
    ...isLocal ? ["# Nobody outside the container reaches a loopback address: give listen a host of 0.0.0.0."] : [],
    "services:",
    "  ftpsd:",
    "    image: denoland/deno:2.9.6",
    `    command: [${["run", ...flags, PUBLISHED, "serve", ...own].map(quoted).join(", ")}]`,
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
