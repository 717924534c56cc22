/**
 * What a session obeys: the server's options, resolved once, with every default in place.
 *
 * @module
 */

/**
 * Where TLS is demanded:
 * - `required`: on control and data connections;
 * - `control`: on control connections; data may be clear;
 * - `optional`: nowhere, but offered;
 * - `off`: not offered.
 */
export type TlsPolicy = "required" | "control" | "optional" | "off";

/**
 * Whether a protected data connection must resume a TLS session of this server: `require` refuses those that do not (522).
 * `off` and `allow` do the same: the runtime offers resumption always (docs/decisions/0002-session-reuse.md).
 */
export type SessionReuse = "off" | "allow" | "require";

/** Ports from `from` to `to`, both included, 1 to 65535. */
export interface PortRange {
  /** First port. */
  readonly from: number;
  /** Last port, not below the first. */
  readonly to: number;
}

/** Settings of a server, frozen. Times are in milliseconds and may have fractions; 0 means no limit. */
export interface Settings {
  /** Text of the 220 greeting. */
  readonly banner: string;
  /** Zone of the times in listings; facts are in UTC always (RFC 3659 §2.3). */
  readonly times: "utc" | "local";
  readonly tls: {
    readonly policy: TlsPolicy;
    readonly sessionReuse: SessionReuse;
    /** Whether an upload that ends without close_notify is incomplete. */
    readonly requireCloseNotify: boolean;
  };
  readonly passive: {
    /** Absent: any port. */
    readonly ports: PortRange | undefined;
    /** IPv4 address announced in 227 in place of the local one. */
    readonly address: string | undefined;
    /** The same by local address as `canonicalHost()` spells it; goes before `address`. */
    readonly addresses: Readonly<Record<string, string>>;
    /** Whether data connections may come from other hosts than the client. */
    readonly foreignAddresses: boolean;
  };
  readonly active: {
    readonly enabled: boolean;
    readonly foreignAddresses: boolean;
    readonly privilegedPorts: boolean;
  };
  readonly transfer: {
    /** Whether TYPE A converts line ends. */
    readonly asciiConversion: boolean;
    /** Bytes a second of each transfer, 0 for no limit. */
    readonly bandwidth: { readonly upload: number; readonly download: number };
  };
  readonly upload: {
    /** Whether a file appears under its name only when it is complete. */
    readonly atomic: boolean;
    /** Whether STOR and RNTO may take a name from a file that has it. */
    readonly overwrite: boolean;
    /** Whether a file is on stable storage before 226. */
    readonly sync: boolean;
  };
  readonly timeouts: {
    /** Silence on the control connection while no data flows. */
    readonly idleMs: number;
    /** From the connection to the login. */
    readonly loginMs: number;
    /** No byte moved on a data connection. */
    readonly dataMs: number;
    /** From PASV or EPSV to the client's data connection. */
    readonly passiveMs: number;
    /** To establish an active data connection. */
    readonly activeMs: number;
    /** For a TLS handshake. */
    readonly handshakeMs: number;
    /** Before a failed login is answered. */
    readonly failedLoginMs: number;
  };
  readonly limits: {
    /** Control connections at once. */
    readonly connections: number;
    /** The same from one address. */
    readonly connectionsPerAddress: number;
    /** The same before somebody has logged in on them. */
    readonly connectionsBeforeLogin: number;
    /** Failed logins before the connection is closed. */
    readonly loginAttempts: number;
    /** Length of a command line without its end. */
    readonly commandLineBytes: number;
  };
}

/** Returns whether commands may only come over TLS. What is no policy at all demands it. */
export function requiresTlsOnControl({ tls }: Settings): boolean {
  return tls.policy !== "optional" && tls.policy !== "off";
}

/** Returns whether data connections must be protected. */
export function requiresTlsOnData(settings: Settings): boolean {
  return requiresTlsOnControl(settings) && settings.tls.policy !== "control";
}
