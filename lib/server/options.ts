/**
 * Options of a server.
 *
 * @module
 */

import type { Authorizer } from "../accounts/authorizer.ts";
import type { BanOptions } from "../state/login_throttle.ts";
import type { CommandChanges } from "../commands/command_changes.ts";
import type { EventHandlers, EventListener } from "../events.ts";
import type { ClientCertificateOptions } from "../transport/client_certificates.ts";
import type { RefuseConnection } from "./acceptor.ts";
import type { RiskId } from "../settings/risks.ts";
import type { PortRange, SessionReuse, TlsPolicy } from "../settings/settings.ts";

/** One address to listen on. */
export interface ListenOptions {
  /**
   * Numeric address; `0.0.0.0` and `::` mean all.
   *
   * @default {"127.0.0.1"}
   */
  readonly host?: string;
  /**
   * Port, 0 for any.
   *
   * @default {2121}
   */
  readonly port?: number;
  /**
   * When TLS starts: `explicit` by AUTH TLS (RFC 4217), `implicit` with the first byte.
   *
   * @default {"explicit"}
   */
  readonly tls?: "explicit" | "implicit";
}

/** TLS of a server. */
export interface TlsOptions {
  /**
   * Where TLS is demanded: `required` on control and data connections, `control` on control connections, `optional`
   * nowhere, `off` not even offered.
   *
   * @default {"required"}
   */
  readonly policy?: TlsPolicy;
  /** Certificate chain in PEM, leaf first. Absent with `key`: a self-signed pair is made in memory at start. */
  readonly certificate?: string;
  /** Private key of the certificate in PEM. */
  readonly key?: string;
  /**
   * Oldest version that is spoken.
   *
   * @default {"TLSv1.2"}
   */
  readonly minVersion?: "TLSv1.2" | "TLSv1.3";
  /**
   * Newest version that is spoken.
   *
   * @default {"TLSv1.3"}
   */
  readonly maxVersion?: "TLSv1.2" | "TLSv1.3";
  /**
   * Whether protected data connections must resume a TLS session. `require` proves that the peer has a session with this
   * server, not that it is this one; the peer's address is checked always.
   *
   * @default {"allow"}
   */
  readonly sessionReuse?: SessionReuse;
  /** Certificates of clients. Absent: none are asked for. */
  readonly clientCertificates?: ClientCertificateOptions;
  /**
   * Whether a protected upload that ends without close_notify counts as incomplete (426).
   *
   * @default {true}
   */
  readonly requireCloseNotify?: boolean;
}

/** Options of `FtpServer`. */
export interface FtpServerOptions {
  /** Decides about logins. */
  readonly authorizer: Authorizer;
  /** Addresses to listen on. Absent: `127.0.0.1`, port 2121, explicit TLS. */
  readonly listen?: readonly ListenOptions[];
  /** TLS; required with a self-signed certificate when absent. */
  readonly tls?: TlsOptions;
  /** Passive data connections. */
  readonly passive?: {
    /** Ports for passive data connections, both ends included; absent: any. */
    readonly ports?: PortRange;
    /** IPv4 address that PASV announces, where a NAT router stands before the server. */
    readonly address?: string;
    /** The same by local address; goes before `address`. */
    readonly addresses?: Readonly<Record<string, string>>;
    /**
     * Whether another host than the client may make the data connection: the risk `foreign-data-address`. For clients behind
     * a NAT router that takes another of its addresses for each connection.
     *
     * @default {false}
     */
    readonly foreignAddresses?: boolean;
  };
  /** Active data connections, where the server dials the client. */
  readonly active?: {
    /**
     * Whether PORT and EPRT are allowed.
     *
     * @default {false}
     */
    readonly enabled?: boolean;
    /**
     * Whether another address than the client's may be dialled.
     *
     * @default {false}
     */
    readonly foreignAddresses?: boolean;
    /**
     * Whether ports below 1024 may be dialled.
     *
     * @default {false}
     */
    readonly privilegedPorts?: boolean;
  };
  /**
   * Text of the greeting.
   *
   * @default {"ftpsd ready."}
   */
  readonly banner?: string;
  /**
   * Encoding of names for clients from before UTF-8 (RFC 2640), such as `"windows-1252"`, `"cp850"` or `"shift_jis"`; it has
   * to hold ASCII. A client that sends OPTS UTF8 ON gets UTF-8 all the same. Names it cannot express are not listed.
   *
   * @default {"utf-8"}
   */
  readonly encoding?: string;
  /**
   * Zone of the times in listings.
   *
   * @default {"utc"}
   */
  readonly times?: "utc" | "local";
  /** Transfers. */
  readonly transfer?: {
    /**
     * Whether TYPE A converts line ends.
     *
     * @default {true}
     */
    readonly asciiConversion?: boolean;
    /** Bytes a second of each transfer; absent or 0: no limit. */
    readonly bandwidth?: { readonly upload?: number; readonly download?: number };
  };
  /** Uploads. */
  readonly upload?: {
    /**
     * Whether a file appears under its name only when it is complete. Until then it has a hidden name beside it.
     *
     * @default {false}
     */
    readonly atomic?: boolean;
    /**
     * Whether an upload may take the name of a file that is there, and RNTO, too. If not they get 550; a file goes on only
     * at its end, by APPE, or by REST with the same right.
     *
     * @default {true}
     */
    readonly overwrite?: boolean;
    /**
     * Whether a file is on stable storage before the upload is answered by 226.
     *
     * @default {false}
     */
    readonly sync?: boolean;
  };
  /** When an address that fails to log in too often is banned. */
  readonly ban?: BanOptions;
  /**
   * Ids of the risks that are accepted, such as `"clear-text-control"`; see `RISKS`. What is risky and not accepted makes
   * the constructor throw.
   *
   * @default {[]}
   */
  readonly acceptRisks?: readonly RiskId[];
  /** Longest waits in seconds, fractions allowed; 0: no limit. */
  readonly timeouts?: {
    /**
     * Silence on the control connection while no data flows.
     *
     * @default {300}
     */
    readonly idle?: number;
    /**
     * From the connection to the login.
     *
     * @default {60}
     */
    readonly login?: number;
    /**
     * No byte moved on a data connection.
     *
     * @default {60}
     */
    readonly data?: number;
    /**
     * From PASV or EPSV to the client's data connection.
     *
     * @default {30}
     */
    readonly passive?: number;
    /**
     * To establish an active data connection.
     *
     * @default {30}
     */
    readonly active?: number;
    /**
     * For a TLS handshake.
     *
     * @default {10}
     */
    readonly handshake?: number;
    /**
     * Before a failed login is answered.
     *
     * @default {3}
     */
    readonly failedLogin?: number;
  };
  /** Limits; 0: none. */
  readonly limits?: {
    /**
     * Control connections at once.
     *
     * @default {512}
     */
    readonly connections?: number;
    /**
     * The same from one address.
     *
     * @default {0}
     */
    readonly connectionsPerAddress?: number;
    /**
     * The same before somebody has logged in on them. Others take no place from users then.
     *
     * @default Half of `connections`, rounded up.
     */
    readonly connectionsBeforeLogin?: number;
    /**
     * Failed logins before the connection is closed.
     *
     * @default {3}
     */
    readonly loginAttempts?: number;
    /**
     * Length of a command line in bytes, 64 to 1,048,576.
     *
     * @default {4096}
     */
    readonly commandLineBytes?: number;
  };
  /** Commands that are left out, added, or watched. */
  readonly commands?: CommandChanges;
  /**
   * Asked about each client before it is greeted. A text refuses it: with 421, or where TLS is implicit without a word. An
   * answer that takes longer than the login may, or a throw, refuses it, too.
   */
  readonly refuseConnection?: RefuseConnection;
  /** Told of each event. Must not throw. */
  readonly onEvent?: EventListener;
  /** Told of the events that they are named after. */
  readonly on?: EventHandlers;
  /**
   * Whether `dialogue` events are made: one for each line of the protocol dialogue, secrets masked.
   *
   * @default {false}
   */
  readonly dialogue?: boolean;
  /** Aborting it shuts the server down at once. */
  readonly signal?: AbortSignal;
}
