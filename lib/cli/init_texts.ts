/**
 * What `ftpsd init` writes and shows.
 *
 * @module
 */

import { join, relative } from "node:path";
import { shellWord } from "../check/exit_error.ts";
import { ipFamily } from "../protocol/host_port.ts";
import type { InitPlan } from "./init_plan.ts";

/** Paths of what a configuration names. */
export interface InitFiles {
  readonly configuration: string;
  /** Absent where a CA gives the certificate. */
  readonly pair?: { readonly certificate: string; readonly key: string } | undefined;
}

/** Folder of what a CA gives, beside the configuration. */
export const ACME_FOLDER = "acme";

/** Ports of data connections: two for each of {@linkcode CONNECTIONS}. */
const PASSIVE_PORTS = { from: 50_000, to: 50_099 } as const;
const CONNECTIONS = 50;

/**
 * Writes the configuration.
 *
 * @param hash Hash of the user's password; absent where anybody may come.
 */
export function formatConfiguration(plan: InitPlan, files: InitFiles, hash: string | undefined): string {
  const { account, reach, port, folder, share } = plan;
  const path = (path: string) => yamlText(pathFrom(folder, path));
  return [
    "# Written by `ftpsd init`. docs/configuration.md has every key. After a change: ftpsd check --config this file;",
    "# a running server takes it on SIGHUP (systemctl reload ftpsd).",
    "",
    ...reach.kind === "host"
      ? [
        "listen:",
        `  - { host: 127.0.0.1, port: ${port} } # this host alone; 0.0.0.0 lets others in`,
      ]
      : [
        "listen:",
        `  - { host: 0.0.0.0, port: ${port} } # all addresses of IPv4; 127.0.0.1 is this host alone`,
        "passive:",
        `  ports: ${PASSIVE_PORTS.from}-${PASSIVE_PORTS.to} # of data connections: open in the firewall, beside the port above`,
        ...announced(reach),
        `limits: { connections: ${CONNECTIONS} } # each may need two passive ports`,
      ],
    "",
    "tls: # required on all connections, unless `policy` says otherwise",
    ...tlsLines(plan, files),
    "",
    ...account.kind === "anybody"
      ? [
        "anonymous: # anybody, with any password",
        `  home: ${path(share)}`,
        "  permissions: elr # e: enter folders, l: list them, r: read files",
      ]
      : [
        "users:",
        `  - name: ${yamlText(account.name)}`,
        "    # Of the password; for another: ftpsd hash-password",
        `    password: ${yamlText(hash ?? "")}`,
        `    home: ${path(share)}`,
        "    permissions: elradfmw # elr reads; a appends, d removes, f renames, m makes folders, w stores",
      ],
    "",
  ].join("\n");
}

function tlsLines({ certificate, folder }: InitPlan, { pair }: InitFiles): string[] {
  if (certificate.kind === "acme") {
    return [
      "  acme: # ordered and renewed by itself; the CA asks this host on port 80",
      `    domains: [${yamlText(certificate.name)}]`,
      `    storage: ${ACME_FOLDER}`,
      "    # email: admin@example.org",
    ];
  }
  return [
    `  certificate: ${
      yamlText(pathFrom(folder, pair?.certificate ?? ""))
    } # both files are read again when they change`,
    `  key: ${yamlText(pathFrom(folder, pair?.key ?? ""))}`,
  ];
}

/** What clients are told behind a router. */
function announced(reach: InitPlan["reach"]): string[] {
  if (reach.kind !== "name") return ["  # address: ftp.example.org # what clients reach, behind a NAT router"];
  if (ipFamily(reach.name) === 6) return [];
  return [`  address: ${yamlText(reach.name)} # what clients are told to connect to, also behind a NAT router`];
}

/** A path from a folder where it is in there. */
function pathFrom(folder: string, path: string): string {
  const inside = relative(folder, path);
  return inside === "" || inside.startsWith("..") ? path : inside;
}

/** YAML takes JSON's strings. */
function yamlText(text: string): string {
  return /^[a-z/][\w./-]*$/i.test(text) && !/^(?:true|false|null|yes|no|on|off|y|n)$/i.test(text)
    ? text
    : JSON.stringify(text);
}

/** Lines that open the firewall, one for each kind; none where nobody comes from outside. */
export function formatFirewall({ reach, port, certificate }: InitPlan): string[] {
  if (reach.kind === "host") return [];
  const { from, to } = PASSIVE_PORTS;
  const ports = [...certificate.kind === "acme" ? [80] : [], port];
  return [
    "Firewall, whichever is in use:",
    `  ${[...ports, `${from}:${to}`].map((it) => `ufw allow ${it}/tcp`).join(" && ")}`,
    `  firewall-cmd --permanent ${
      [...ports, `${from}-${to}`].map((it) => `--add-port=${it}/tcp`).join(" ")
    } && firewall-cmd --reload`,
    `  nft add rule inet filter input tcp dport '{ ${[...ports, `${from}-${to}`].join(", ")} }' accept`,
  ];
}

/** Lines that make a service of it, as root. */
export function formatInstallation(plan: InitPlan, { configuration, pair }: InitFiles, unit: string): string[] {
  const isInPlace = plan.service === "install";
  const secrets = [configuration, ...pair === undefined ? [] : [pair.key]].map(shellWord).join(" ");
  return [
    "As a service, by root:",
    "  useradd --system --no-create-home --shell /usr/sbin/nologin ftpsd",
    `  chown -R ftpsd: ${shellWord(plan.share)}`,
    ...pair === undefined ? [`  install -d -m 700 -o ftpsd -g ftpsd ${shellWord(storageIn(plan))}`] : [],
    `  chgrp ftpsd ${secrets} && chmod 640 ${secrets}`,
    ...isInPlace ? ["  systemctl daemon-reload"] : [`  install -m 644 ${shellWord(unit)} /etc/systemd/system/`],
    "  systemctl enable --now ftpsd",
  ];
}

function storageIn({ folder }: InitPlan): string {
  return join(folder, ACME_FOLDER);
}

/**
 * Lines to go on with.
 *
 * @param program Words that run a command of ftpsd, with the permissions of Deno that a kind of them needs.
 */
export function formatNextSteps(
  plan: InitPlan,
  { configuration, pair }: InitFiles,
  program: (...flags: string[]) => string,
): string[] {
  const { account, port, reach, share } = plan;
  const config = `-c ${shellWord(configuration)}`;
  const written = [...account.kind === "user" ? [share] : [], ...pair === undefined ? [storageIn(plan)] : []];
  const flags = written.length === 0 ? [] : [`--allow-write=${written.join(",")}`];
  const url = `ftp://${pair === undefined && reach.kind === "name" ? reach.name : "localhost"}:${port}/`;
  const certificate = pair && shellWord(pair.certificate);
  const trust = certificate === undefined ? "--ssl-reqd" : `--ssl-reqd --cacert ${certificate}`;
  const trusts = plan.certificate.kind === "new" ? ` --ca ${certificate}` : "";
  const logsIn = account.kind === "user" ? ` --user ${shellWord(account.name)}` : " --anonymous";
  const looks = program("--allow-net", "--allow-read");
  return [
    ...pair === undefined ? ["Try whether the CA gives a certificate:", `  ${looks} cert acme ${config}`] : [],
    "Start it:",
    `  ${program("--allow-net", "--allow-read", ...flags)} ${config}`,
    ...account.kind === "user"
      ? [
        "Upload something, from a second terminal:",
        `  curl ${trust} -u ${shellWord(account.name)} -T ${certificate ?? "FILE"} ${url}`,
      ]
      : ["List it, from a second terminal:", `  curl ${trust} ${url}`],
    "Look at it as clients do:",
    `  ${looks} doctor --self ${config}${trusts}${logsIn}`,
    ...reach.kind === "name"
      ? [`  ${looks} doctor ${reach.name}:${port}${trusts} # from outside${trusts && ", with that file"}`]
      : [],
  ];
}
