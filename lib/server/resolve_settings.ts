/**
 * From the options of a server to the settings that sessions obey.
 *
 * @module
 */

import { canonicalHost, ipFamily, isLinkLocal } from "../protocol/host_port.ts";
import type { PortRange, Settings } from "../settings/settings.ts";
import type { FtpServerOptions, ListenOptions } from "./options.ts";

/**
 * Checks options and puts the defaults in place.
 *
 * @throws {RangeError} When a number is out of its range.
 */
export function resolveSettings(options: FtpServerOptions): Settings {
  const { tls = {}, passive = {}, active = {}, timeouts = {}, limits = {} } = options;
  requireChoice("tls.policy", tls.policy, ["required", "control", "optional", "off"]);
  requireChoice("tls.sessionReuse", tls.sessionReuse, ["off", "allow", "require"]);
  requireChoice("times", options.times, ["utc", "local"]);
  requireChoice("tls.minVersion", tls.minVersion, ["TLSv1.2", "TLSv1.3"]);
  requireChoice("tls.maxVersion", tls.maxVersion, ["TLSv1.2", "TLSv1.3"]);
  requireChoice("tls.clientCertificates.mode", tls.clientCertificates?.mode, ["request", "require"]);
  for (const listener of options.listen ?? []) checkListener(listener);
  if (passive.address !== undefined) requireAnnounceable(passive.address);
  return deepFreeze({
    banner: options.banner ?? "ftpsd ready.",
    times: options.times ?? "utc",
    tls: {
      policy: tls.policy ?? "required",
      sessionReuse: tls.sessionReuse ?? "allow",
      requireCloseNotify: tls.requireCloseNotify ?? true,
    },
    passive: {
      ports: passive.ports && checkedRange(passive.ports),
      address: passive.address,
      addresses: announcedAddresses(passive.addresses ?? {}),
      foreignAddresses: passive.foreignAddresses ?? false,
    },
    active: {
      enabled: active.enabled ?? false,
      foreignAddresses: active.foreignAddresses ?? false,
      privilegedPorts: active.privilegedPorts ?? false,
    },
    transfer: {
      asciiConversion: options.transfer?.asciiConversion ?? true,
      bandwidth: {
        upload: wholeNumber("transfer.bandwidth.upload", options.transfer?.bandwidth?.upload ?? 0),
        download: wholeNumber("transfer.bandwidth.download", options.transfer?.bandwidth?.download ?? 0),
      },
    },
    upload: {
      atomic: options.upload?.atomic ?? false,
      overwrite: options.upload?.overwrite ?? true,
      sync: options.upload?.sync ?? false,
    },
    timeouts: {
      idleMs: milliseconds("timeouts.idle", timeouts.idle ?? 300),
      loginMs: milliseconds("timeouts.login", timeouts.login ?? 60),
      dataMs: milliseconds("timeouts.data", timeouts.data ?? 60),
      passiveMs: milliseconds("timeouts.passive", timeouts.passive ?? 30),
      activeMs: milliseconds("timeouts.active", timeouts.active ?? 30),
      handshakeMs: milliseconds("timeouts.handshake", timeouts.handshake ?? 10),
      failedLoginMs: milliseconds("timeouts.failedLogin", timeouts.failedLogin ?? 3),
    },
    limits: {
      connections: wholeNumber("limits.connections", limits.connections ?? DEFAULT_CONNECTIONS),
      connectionsPerAddress: wholeNumber("limits.connectionsPerAddress", limits.connectionsPerAddress ?? 0),
      connectionsBeforeLogin: wholeNumber(
        "limits.connectionsBeforeLogin",
        limits.connectionsBeforeLogin ?? Math.ceil((limits.connections ?? DEFAULT_CONNECTIONS) / 2),
      ),
      loginAttempts: wholeNumber("limits.loginAttempts", limits.loginAttempts ?? 3),
      commandLineBytes: wholeNumber("limits.commandLineBytes", limits.commandLineBytes ?? 4096, 64, 2 ** 20),
    },
  });
}

const DEFAULT_CONNECTIONS = 512;
/** The longest time a timer can wait, in whole seconds. */
export const MAX_SECONDS = Math.floor(2 ** 31 / 1000) - 1;
const MAX_PORT = 65535;

function checkedRange(range: PortRange): PortRange {
  const valid = [range.from, range.to].every((port) => Number.isInteger(port) && port >= 1 && port <= MAX_PORT);
  if (!valid || range.from > range.to) {
    throw new RangeError(
      `Cannot use passive ports ${range.from}-${range.to}: both must be 1 to 65535, the first not larger`,
    );
  }
  return { from: range.from, to: range.to };
}

/** Programs in JavaScript, and values from JSON, are not held to the types. */
function requireChoice(name: string, value: string | undefined, choices: readonly string[]): void {
  if (value === undefined || choices.includes(value)) return;
  throw new RangeError(`Cannot use ${name} "${value}": it must be one of ${choices.join(", ")}`);
}

function checkListener({ host, port, tls }: ListenOptions): void {
  requireChoice("listen.tls", tls, ["explicit", "implicit"]);
  if (host !== undefined && ipFamily(host) === undefined) {
    throw new RangeError(`Cannot listen on "${host}": it must be a numeric address`);
  }
  if (host !== undefined && isLinkLocal(host)) {
    throw new RangeError(`Cannot listen on "${host}": the runtime knows no IPv6 zones; use "::"`);
  }
  if (port !== undefined) wholeNumber("listen.port", port, 0, MAX_PORT);
}

/** Returns whether PASV can announce an address: that of a host, in IPv4. */
export function isAnnounceable(address: string): boolean {
  return ipFamily(address) === 4 && address !== "0.0.0.0";
}

function requireAnnounceable(address: string): void {
  if (isAnnounceable(address)) return;
  throw new RangeError(
    `Cannot use passive address "${address}": PASV can only announce a numeric IPv4 address of a host`,
  );
}

/** The table by one spelling of each local address: as the one that a client has reached is looked up. */
function announcedAddresses(table: Readonly<Record<string, string>>): Record<string, string> {
  const addresses: Record<string, string> = {};
  for (const [local, announced] of Object.entries(table)) {
    const key = canonicalHost(local);
    if (key === undefined) {
      throw new RangeError(`Cannot use passive.addresses: the key "${local}" must be a numeric address`);
    }
    requireAnnounceable(announced);
    addresses[key] = announced;
  }
  return addresses;
}

function milliseconds(name: string, seconds: number): number {
  if (seconds >= 0 && seconds <= MAX_SECONDS) return seconds * 1000;
  throw new RangeError(`Cannot use ${name} ${seconds}: it must be 0 to ${MAX_SECONDS} seconds`);
}

function wholeNumber(name: string, value: number, least = 0, most = Number.MAX_SAFE_INTEGER): number {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
  const range = most === Number.MAX_SAFE_INTEGER ? `${least} or more` : `${least} to ${most}`;
  throw new RangeError(`Cannot use ${name} ${value}: it must be a whole number, ${range}`);
}

/** Freezes a value and all that is in it. */
export function deepFreeze<T extends object>(value: T): T {
  for (const part of Object.values(value)) if (typeof part === "object" && part !== null) deepFreeze(part);
  return Object.freeze(value);
}
