/**
 * From the options of a server to the settings that sessions obey.
 *
 * @module
 */

import { ipFamily } from "../protocol/host_port.ts";
import type { PortRange, Settings } from "../session/settings.ts";
import type { FtpServerOptions } from "./options.ts";

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
  for (const { tls: start } of options.listen ?? []) requireChoice("listen.tls", start, ["explicit", "implicit"]);
  const announced = [passive.address, ...Object.values(passive.addresses ?? {})];
  for (const address of announced) if (address !== undefined) requireIpv4(address);
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
      addresses: { ...passive.addresses },
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
      commandLineBytes: wholeNumber("limits.commandLineBytes", limits.commandLineBytes ?? 4096, 64),
    },
  });
}

const DEFAULT_CONNECTIONS = 512;
/** The longest time a timer can wait, in whole seconds. */
export const MAX_SECONDS = Math.floor(2 ** 31 / 1000) - 1;
const LARGEST_PORT = 65535;

function checkedRange(range: PortRange): PortRange {
  const valid = [range.from, range.to].every((port) => Number.isInteger(port) && port >= 1 && port <= LARGEST_PORT);
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

function requireIpv4(address: string): void {
  if (ipFamily(address) === 4) return;
  throw new RangeError(`Cannot use passive address "${address}": PASV can only announce a numeric IPv4 address`);
}

function milliseconds(name: string, seconds: number): number {
  if (seconds >= 0 && seconds <= MAX_SECONDS) return seconds * 1000;
  throw new RangeError(`Cannot use ${name} ${seconds}: it must be 0 to ${MAX_SECONDS} seconds`);
}

function wholeNumber(name: string, value: number, least = 0): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new RangeError(`Cannot use ${name} ${value}: it must be a whole number, ${least} or more`);
}

/** Freezes a value and all that is in it. */
export function deepFreeze<T extends object>(value: T): T {
  for (const part of Object.values(value)) if (typeof part === "object" && part !== null) deepFreeze(part);
  return Object.freeze(value);
}
