/**
 * Deno's permissions: what a configuration needs, and what was granted.
 *
 * @module
 */

import { dirname } from "node:path";
import { formatSocketAddress, ipFamily } from "../protocol/host_port.ts";
import type { ConfigurationFiles } from "../server/configured_options.ts";
import type { Finding } from "../settings/finding.ts";
import type { PortRange } from "../settings/forms.ts";
import type { Configuration } from "../settings/table.ts";
import { hostHomesOf } from "./account_findings.ts";
import { acmeFilesOf, acmeHostsOf } from "./acme_files.ts";
import { codeSecretFilesOf } from "./code_files.ts";
import { accountFilesOf, accountHostsOf } from "./account_source_files.ts";
import { hookFilesOf, hookHostsOf } from "./hook_files.ts";
import { storeFilesOf, storeHostOf } from "./store_files.ts";
import { shellWord, StartError } from "./exit_error.ts";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";

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

/** Permissions by kind, as the values of `--allow-net`, `--allow-read` and `--allow-write`. */
export interface PermissionNeeds {
  /** `host:port`, or a host where any port may be needed; none where any host may be, which active mode dials. */
  readonly net: readonly string[];
  readonly read: readonly string[];
  readonly write: readonly string[];
}

/** Where databases are. */
type Databases = Pick<ConfigurationFiles, "database" | "accountDatabases">;

/** Ports that are listed one by one. A list of 1,000 costs a tenth of a second at start. */
const MAX_PORT_LIST = 2_000;

/**
 * Finds what a configuration needs.
 *
 * @param file The configuration file, which is read again on SIGHUP; absent where there is none.
 * @param program Folder that workers are loaded from; absent where that needs no permission.
 * @param databases Those of the state and of accounts; absent where there are none.
 */
export function findPermissionNeeds(
  configuration: Configuration,
  file?: string,
  program?: string,
  databases: Databases = {},
): PermissionNeeds {
  const { tls, log, state, workers, accounts, admin, hooks } = configuration;
  const homes = hostHomesOf(configuration);
  const loadedFrom = typeof workers === "number" && workers > 1 ? program : undefined;
  const storeFiles = storeFilesOf(configuration).map(({ path }) => path);
  const files = [
    file,
    tls.certificate,
    tls.key,
    tls.clientCertificates.ca,
    tls.clientCertificates.crl,
    loadedFrom,
    state.file,
    state.urlFile,
    state.directUrlFile,
    state.ca,
    ...accounts.flatMap(({ type, urlFile, ca }) => type === "postgres" ? [urlFile, ca] : []),
    ...accountFilesOf(configuration),
    admin?.tokenFile,
    admin?.unix,
    ...storeFiles,
    hooks?.queue,
    ...hookFilesOf(configuration),
    ...codeSecretFilesOf(configuration),
    ...acmeFilesOf(configuration),
  ];
  const changesPasswords = configuration.passwords.change && accounts.some(({ type }) => type === "file");
  const rewritten = file === undefined || !changesPasswords ? [] : [dirname(file)];
  const written = homes.filter(({ isWritten }) => isWritten);
  return {
    net: netNeeds(configuration, databases),
    read: distinct([...files.filter((path) => path !== undefined), ...rewritten, ...homes.map(({ folder }) => folder)]),
    write: distinct([
      ...rewritten,
      ...written.map(({ folder }) => folder),
      ...[log.transfers, state.file, admin?.unix, hooks?.queue, tls.acme?.storage].filter((path) => path !== undefined),
    ]),
  };
}

/** Listening addresses and, on each of their hosts, the passive ports; the stores, hooks and the database; and a name that is resolved. */
function netNeeds(configuration: Configuration, { database, accountDatabases = {} }: Databases): string[] {
  const { listen, passive: { ports, address }, active, stores, metrics, admin } = configuration;
  // It dials any port of any client.
  if (active.enabled) return [];
  const addresses = listen.map(({ host, port }) => ({ host, port }));
  const databaseHosts = [...database === undefined ? [] : [database], ...Object.values(accountDatabases)]
    .flatMap(({ address, directAddress = address }) => [address, directAddress].map(formatSocketAddress));
  const others = [
    ...[metrics, admin].flatMap((http) => http === undefined ? [] : [httpAddressOf(http)]),
    ...[...Object.values(stores).map(storeHostOf), ...databaseHosts, ...namesOf(address)],
    ...hookHostsOf(configuration),
    ...acmeHostsOf(configuration),
    ...accountHostsOf(configuration),
  ];
  const passivePorts = ports === undefined ? undefined : portsOf(ports);
  if (
    passivePorts === undefined || passivePorts.length > MAX_PORT_LIST || addresses.some(({ port }) => port === 0)
  ) {
    return distinct([...addresses.map(hostOf), ...others]);
  }
  const all = [...addresses, ...addresses.flatMap(({ host }) => passivePorts.map((port) => ({ host, port })))];
  return distinct([...all.map(formatSocketAddress), ...others]);
}

/** Where an HTTP listener is; a Unix socket has a form of its own. */
function httpAddressOf(
  { host, port, unix }: { readonly host: string; readonly port: number; readonly unix?: string | undefined },
): string {
  if (unix !== undefined) return `unix:${resolve(unix)}`; // the runtime wants it absolute
  return port === 0 ? hostOf({ host }) : formatSocketAddress({ host, port });
}

/** An address without its port, as the runtime wants it: all its ports. */
function hostOf({ host }: { readonly host: string }): string {
  return host.includes(":") ? `[${host}]` : host;
}

/** The runtime wants the name itself, without a port, and nothing of the servers that are asked. */
function namesOf(address: string | undefined): string[] {
  return address === undefined || ipFamily(address) !== undefined ? [] : [address];
}

function portsOf({ from, to }: PortRange): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

/** Writes the needs as flags of `deno run`. */
export function formatPermissionFlags({ net, read, write }: PermissionNeeds): string[] {
  return [
    net.length === 0 ? "--allow-net" : `--allow-net=${net.join(",")}`,
    ...read.length === 0 ? [] : [`--allow-read=${distinct(read.map(grantable)).join(",")}`],
    ...write.length === 0 ? [] : [`--allow-write=${distinct(write.map(grantable)).join(",")}`],
  ];
}

/** Deno takes each comma for the end of a path; where there is one, only the folder above it can be granted. */
function grantable(path: string): string {
  const [whole = "", ...more] = path.split(",");
  if (more.length === 0) return path;
  const folder = whole.slice(0, Math.max(whole.lastIndexOf("/"), whole.lastIndexOf("\\")));
  return folder === "" || folder.endsWith(":") ? whole.slice(0, folder.length + 1) : folder;
}

function distinct(values: readonly string[]): string[] {
  return [...new Set(values)];
}

/**
 * Folder that workers are loaded from; `undefined` where the program comes from the network or is part of the executable,
 * which needs no permission.
 */
export const PROGRAM_FOLDER: string | undefined = import.meta.url.startsWith("file:") && !Deno.build.standalone
  ? fileURLToPath(new URL("../..", import.meta.url)).replace(/[/\\]$/, "")
  : undefined;

/** Returns whether Deno permits to load workers. */
export async function mayReadProgram(): Promise<boolean> {
  if (PROGRAM_FOLDER === undefined) return true;
  return (await Deno.permissions.query({ name: "read", path: PROGRAM_FOLDER })).state === "granted";
}
