/**
 * Settings as programs give them.
 *
 * @module
 */

// Made of lib/settings/table.ts by `deno task docs`.

import type { PortRange } from "./forms.ts";
import type { SessionReuse, TlsPolicy } from "./settings.ts";

/** One address to listen on. */
export interface ListenOptions {
  /**
   * Address to listen on; `0.0.0.0` is all of IPv4, `::` all there are.
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
   * When TLS starts: after AUTH TLS (RFC 4217), or with the first byte.
   *
   * @default {"explicit"}
   */
  readonly tls?: "explicit" | "implicit";
  /**
   * Addresses and networks of balancers that say by the PROXY protocol, version 1 or 2, on whose behalf they connect:
   * to this port, and to the passive ports of its sessions. Whoever connects from elsewhere, or without that, is
   * refused.
   */
  readonly proxyProtocol?: readonly string[];
}

/** Certificates of clients. */
export interface ClientCertificateOptions {
  /**
   * Whether clients are asked for one, or must have it; one that is not good is refused in both modes.
   *
   * @default {"none"}
   */
  readonly mode?: "none" | "request" | "require";
  /**
   * Certificates in PEM that clients' certificates have to lead up to. A client's own may be among them: it is let in
   * then, and can vouch for nobody else unless it is a CA.
   */
  readonly ca?: string;
  /**
   * Lists of revoked certificates, each signed by one of `ca`: in PEM, or a file in DER. With it a certificate is good
   * only while its CA has a list there that is not overdue.
   */
  readonly crl?: string;
}

/** TLS of control and data connections. */
export interface TlsOptions {
  /**
   * Where TLS is demanded: on all connections, on control connections, nowhere; `off` does not even offer it.
   *
   * @default {"required"}
   */
  readonly policy?: TlsPolicy;
  /**
   * Certificate chain in PEM, the server's own first. Without it a self-signed one is made in memory at each start.
   */
  readonly certificate?: string;
  /** Private key of the certificate in PEM. */
  readonly key?: string;
  /**
   * Oldest version that is spoken. A change waits for a restart.
   *
   * @default {"TLSv1.2"}
   */
  readonly minVersion?: "TLSv1.2" | "TLSv1.3";
  /**
   * Newest version that is spoken. A change waits for a restart.
   *
   * @default {"TLSv1.3"}
   */
  readonly maxVersion?: "TLSv1.2" | "TLSv1.3";
  /**
   * Whether a data connection must resume a TLS session: `require` refuses those that do not. `off` and `allow` leave
   * it to the client. `require` proves that the peer has a session with this server, not that it is this one; its
   * address is checked always.
   *
   * @default {"allow"}
   */
  readonly sessionReuse?: SessionReuse;
  /**
   * Whether an upload that ends without close_notify is incomplete (426).
   *
   * @default {true}
   */
  readonly requireCloseNotify?: boolean;
  /** Certificates of clients. */
  readonly clientCertificates?: ClientCertificateOptions;
}

/** Bans of addresses from which passwords are guessed. */
export interface BanOptions {
  /**
   * Failed logins from one address (of IPv6 one /64) that ban it; 0 for never.
   *
   * @default {10}
   */
  readonly failures?: number;
  /**
   * Time in seconds within which they count.
   *
   * @default {600}
   */
  readonly window?: number;
  /**
   * Time of the ban in seconds.
   *
   * @default {900}
   */
  readonly duration?: number;
  /**
   * Addresses that are never banned.
   *
   * @default {[]}
   */
  readonly never?: readonly string[];
}

/** Settings of a server, each with its default. */
export interface GivenSettings {
  /**
   * Addresses to listen on. A change waits for a restart.
   *
   * @default {[{"host":"127.0.0.1","port":2121,"tls":"explicit"}]}
   */
  readonly listen?: readonly ListenOptions[];
  /** TLS of control and data connections. */
  readonly tls?: TlsOptions;
  /** Passive mode: clients make the data connections. */
  readonly passive?: {
    /**
     * Ports of passive data connections, both ends included; without it any port. A change waits for a restart.
     */
    readonly ports?: PortRange | string;
    /**
     * Ports that clients are told in place of `ports`, one for one, where a router or a balancer leads these to those. A
     * change waits for a restart.
     */
    readonly announced?: PortRange | string;
    /**
     * Address that PASV announces, where the server is behind a NAT router. A name is resolved anew each minute.
     */
    readonly address?: string;
    /**
     * The same by the local address that the client has reached; goes before `address`.
     *
     * @default {{}}
     */
    readonly addresses?: Readonly<Record<string, string>>;
    /**
     * Whether from other hosts than the client, as from a NAT router with several addresses: the risk
     * `foreign-data-address`.
     *
     * @default {false}
     */
    readonly foreignAddresses?: boolean;
  };
  /** Active mode: the server makes the data connections. */
  readonly active?: {
    /**
     * Whether PORT and EPRT are allowed.
     *
     * @default {false}
     */
    readonly enabled?: boolean;
    /**
     * Whether to other hosts than the client: the risk `foreign-data-address`.
     *
     * @default {false}
     */
    readonly foreignAddresses?: boolean;
    /**
     * Whether to ports below 1024: the risk `privileged-data-port`.
     *
     * @default {false}
     */
    readonly privilegedPorts?: boolean;
  };
  /**
   * Greeting.
   *
   * @default {"ftpsd ready."}
   */
  readonly banner?: string;
  /**
   * Encoding of names for clients from before UTF-8, such as `cp850` or `shift_jis`; those that ask for UTF-8 get it.
   * It has to hold ASCII. Names that it cannot express are not listed. A change waits for a restart.
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
    /** Bytes a second of each session. */
    readonly bandwidth?: {
      /**
       * Bytes a second from clients, 0 for no limit.
       *
       * @default {0}
       */
      readonly upload?: number | string;
      /**
       * Bytes a second to clients, 0 for no limit.
       *
       * @default {0}
       */
      readonly download?: number | string;
    };
  };
  /** Uploads. */
  readonly upload?: {
    /**
     * Whether a file appears only when it is complete; then none can be resumed. Until then it has a hidden name,
     * `.ftpsd-XXXXXXXX.part`, that clients neither see nor use. What a killed server leaves of that is removed after a
     * day, when the next upload into the folder begins.
     *
     * @default {false}
     */
    readonly atomic?: boolean;
    /**
     * Whether STOR and RNTO may take a name from a file that has it. If not they get 550, and what is there can only be
     * continued at its end, with the right to append. Of an upload that was interrupted nothing is there with `atomic`,
     * so that it can be sent again.
     *
     * @default {true}
     */
    readonly overwrite?: boolean;
    /**
     * Whether a file and its name are on stable storage before 226 is sent.
     *
     * @default {false}
     */
    readonly sync?: boolean;
  };
  /** Longest waits in seconds, fractions allowed; 0 for no limit. */
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
  /** Limits; 0 for none. */
  readonly limits?: {
    /**
     * Control connections at once.
     *
     * @default {512}
     */
    readonly connections?: number;
    /**
     * The same from one address; of IPv6 from one /64.
     *
     * @default {0}
     */
    readonly connectionsPerAddress?: number;
    /**
     * The same before a login. Who never logs in takes no place from users then. Without it, half of `connections`.
     */
    readonly connectionsBeforeLogin?: number;
    /**
     * Failed logins before the connection is closed.
     *
     * @default {3}
     */
    readonly loginAttempts?: number;
    /**
     * Length of a command line in bytes.
     *
     * @default {4096}
     */
    readonly commandLineBytes?: number;
  };
  /** Bans of addresses from which passwords are guessed. */
  readonly ban?: BanOptions;
}
