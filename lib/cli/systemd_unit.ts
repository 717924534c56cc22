/**
 * A systemd unit that serves a configuration and can do little else.
 *
 * @module
 */

import type { Configuration } from "../settings/table.ts";
import type { PermissionNeeds } from "../check/permission_needs.ts";
import { RUNTIME_VARIABLES } from "./runtime_variables.ts";

const FIRST_UNPRIVILEGED_PORT = 1024;
/** What a busy session may hold, and what the rest of the process holds. */
const DESCRIPTORS = { session: 4, others: 256 } as const;
/** What every process gets, and what is enough where connections are not limited. */
const MIN_DESCRIPTORS = 1_024;
const MAX_DESCRIPTORS = 65_536;

/** What a unit starts. */
export interface UnitOptions {
  readonly needs: PermissionNeeds;
  /** Words of the command line, the program's full path first. */
  readonly command: readonly string[];
  /** Whether the program is Deno, which keeps modules in a folder of its own. */
  readonly usesDeno: boolean;
}

/** Writes the unit. */
export function formatSystemdUnit({ listen, limits: { connections } }: Configuration, options: UnitOptions): string {
  const { needs, command, usesDeno } = options;
  const isPrivileged = listen.some(({ port }) => port > 0 && port < FIRST_UNPRIVILEGED_PORT);
  const needed = connections === 0 ? MAX_DESCRIPTORS : DESCRIPTORS.session * connections + DESCRIPTORS.others;
  const descriptors = Math.max(needed, MIN_DESCRIPTORS);
  return [
    "[Unit]",
    "Description=FTPS server",
    "After=network-online.target",
    "Wants=network-online.target",
    "",
    "[Service]",
    "Type=exec",
    `ExecStart=${command.map(commandWord).join(" ")}`,
    "ExecReload=/bin/kill -HUP $MAINPID",
    "User=ftpsd",
    "Restart=on-failure",
    "# A configuration that cannot be used does not get better by itself.",
    "RestartPreventExitStatus=2",
    "# Before the runtime can listen for it, SIGHUP ends the process, which is no clean exit.",
    "RestartForceExitStatus=SIGHUP",
    "# Running transfers get 10 seconds.",
    "TimeoutStopSec=20",
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
