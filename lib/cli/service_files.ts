/**
 * Files that run a configuration as a service, which can do little else: a systemd unit, and a compose file for a container.
 *
 * @module
 */

import type { Configuration } from "../settings/table.ts";
import type { PermissionNeeds } from "../check/permissions.ts";

/**
 * Settings of the runtime in its environment, which the program itself does not read.
 *
 * While downloads keep an event loop busy, the runtime looks for new input only every 61 turns, and for what other threads
 * have sent every 31: of 100 commands beside eight downloads, 99 were answered within 50 ms. At every turn it is 5, and the
 * downloads are 3 to 8 % slower at most. Both or neither: with the first alone, messages between event loops wait. Deno does
 * not document the variables, and takes no notice of unknown ones.
 */
export const RUNTIME_VARIABLES: readonly string[] = [
  "DENO_TOKIO_EVENT_INTERVAL=1",
  "DENO_TOKIO_GLOBAL_QUEUE_INTERVAL=1",
];

const FIRST_UNPRIVILEGED_PORT = 1024;
/** What a busy session may hold, and what the rest of the process holds. */
const DESCRIPTORS = { session: 4, others: 256 } as const;
/** What every process gets, and what is enough where connections are not limited. */
const MIN_DESCRIPTORS = 1_024;
const MAX_DESCRIPTORS = 65_536;

/** What the end of sessions takes beyond the time of their transfers. */
const STOP_MARGIN_SECONDS = 10;

/** What a unit starts. */
export interface UnitOptions {
  readonly needs: PermissionNeeds;
  /** Words of the command line, the program's full path first. */
  readonly command: readonly string[];
  /** Whether the program is Deno, which keeps modules in a folder of its own. */
  readonly usesDeno: boolean;
}

/** Writes the unit. */
export function formatSystemdUnit(configuration: Configuration, options: UnitOptions): string {
  const { listen, limits: { connections }, state, accounts, tls } = configuration;
  const { needs, command, usesDeno } = options;
  const ports = [...listen.map(({ port }) => port), ...tls.acme === undefined ? [] : [tls.acme.httpPort]];
  const isPrivileged = ports.some((port) => port > 0 && port < FIRST_UNPRIVILEGED_PORT);
  const needsDatabase = [state, ...accounts].some(({ type }) => type === "postgres");
  const needed = connections === 0 ? MAX_DESCRIPTORS : DESCRIPTORS.session * connections + DESCRIPTORS.others;
  const descriptors = Math.max(needed, MIN_DESCRIPTORS);
  return [
    "[Unit]",
    "Description=FTPS server",
    "After=network-online.target",
    "Wants=network-online.target",
    // Five quick failures are the end otherwise, as where nodes are up again before their database.
    ...needsDatabase ? ["# It cannot start while its database is away, and tries on.", "StartLimitIntervalSec=0"] : [],
    "",
    "[Service]",
    "Type=exec",
    `ExecStart=${command.map(commandWord).join(" ")}`,
    "ExecReload=/bin/kill -HUP $MAINPID",
    "User=ftpsd",
    "Restart=on-failure",
    ...needsDatabase ? ["RestartSec=2"] : [],
    "# A configuration that cannot be used does not get better by itself.",
    "RestartPreventExitStatus=2",
    "# Before the runtime can listen for it, SIGHUP ends the process, which is no clean exit.",
    "RestartForceExitStatus=SIGHUP",
    "# More than shutdown.drain and shutdown.grace together.",
    `TimeoutStopSec=${secondsToStop(configuration)}`,
    `LimitNOFILE=${descriptors}`,
    `Environment=${RUNTIME_VARIABLES.join(" ")}`,
    ...usesDeno ? ["CacheDirectory=ftpsd", "Environment=DENO_DIR=/var/cache/ftpsd DENO_NO_UPDATE_CHECK=1"] : [],
    "",
    ...confinement(needs, { isPrivileged }),
    "",
    "[Install]",
    "WantedBy=multi-user.target",
  ].join("\n");
}

/** Seconds after which a server that was told to stop may be killed. */
function secondsToStop({ shutdown: { drain, grace } }: Configuration): number {
  return Math.ceil(drain + grace) + STOP_MARGIN_SECONDS;
}

function confinement({ read, write }: PermissionNeeds, { isPrivileged }: { readonly isPrivileged: boolean }): string[] {
  const capability = isPrivileged ? "CAP_NET_BIND_SERVICE" : "";
  const hasHome = [...read, ...write].some((path) => /^\/(home|root|run\/user)(\/|$)/.test(path));
  return [
    "# MemoryDenyWriteExecute is not here: V8 writes machine code and runs it.",
    `AmbientCapabilities=${capability}`,
    `CapabilityBoundingSet=${capability}`,
    "NoNewPrivileges=yes",
    "ProtectSystem=strict",
    `ProtectHome=${hasHome ? "read-only" : "yes"}`,
    ...write.length === 0 ? [] : [`ReadWritePaths=${write.map(systemdWord).join(" ")}`],
    "UMask=0027",
    "PrivateTmp=yes",
    "PrivateDevices=yes",
    "PrivateMounts=yes",
    // In a user namespace of its own, a process has no capability of the host's.
    ...isPrivileged ? [] : ["PrivateUsers=yes"],
    "ProtectClock=yes",
    "ProtectControlGroups=yes",
    "ProtectHostname=yes",
    "ProtectKernelLogs=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelTunables=yes",
    "ProtectProc=invisible",
    "ProcSubset=pid",
    "RemoveIPC=yes",
    "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",
    "RestrictNamespaces=yes",
    "RestrictRealtime=yes",
    "RestrictSUIDSGID=yes",
    "LockPersonality=yes",
    "SystemCallArchitectures=native",
    "# V8 protects its machine code with the pkey calls where the processor can.",
    "SystemCallFilter=@system-service pkey_alloc pkey_free pkey_mprotect",
    "SystemCallFilter=~@privileged @resources",
    "SystemCallErrorNumber=EPERM",
  ];
}

/** A word of a command line, where systemd puts variables in the place of `$` (systemd.service(5)). */
function commandWord(word: string): string {
  return systemdWord(word.replaceAll("$", "$$$$"));
}

/** systemd takes `%` for its own, and words in double quotes as one (systemd.syntax(7)). */
function systemdWord(word: string): string {
  const escaped = word.replaceAll("%", "%%");
  return /^[\w@%+=:,./[\]-]+$/.test(escaped) ? escaped : `"${escaped.replace(/["\\]/g, "\\$&")}"`;
}

/** The image that holds Deno; the version is the one that the tests run on. */
export const DENO_IMAGE = "denoland/deno:2.9.6";

/** Writes the file. */
export function formatComposeFile(
  configuration: Configuration,
  { needs, command }: { readonly needs: PermissionNeeds; readonly command: readonly string[] },
): string {
  const { listen: listeners, passive } = configuration;
  const { read, write } = needs;
  // A `$` begins a variable; two stand for one. In a replacement text they do, too.
  const quoted = (text: string) => JSON.stringify(text.replaceAll("$", "$$$$"));
  const listen = listeners.map(({ port }) => `${port}:${port}`);
  const range = passive.ports;
  const { from, to } = passive.announced ?? range ?? {};
  const ports = range === undefined ? listen : [...listen, `${from}-${to}:${range.from}-${range.to}`];
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
    `    stop_grace_period: ${secondsToStop(configuration)}s`,
    "volumes:",
    "  deno-cache:",
  ].join("\n");
}
