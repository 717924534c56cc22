/**
 * The record of one control connection: everything that commands read and change about it. It is never mutated; each
 * change is a pure function of `transitions.ts`.
 *
 * @module
 */

import type { Account } from "../accounts/authorizer.ts";
import type { SessionEvent } from "../events.ts";
import { HASH_ALGORITHMS, type HashAlgorithm } from "../filesystem/digest.ts";
import { FACT_NAMES, type FactName } from "../protocol/facts.ts";
import { formatSocketAddress } from "../protocol/host_port.ts";
import type { TextEncoding } from "../protocol/text_encoding.ts";
import type { SocketAddress, TlsInfo } from "../transport/connection.ts";

/** Representation type (RFC 959 §3.1.1): ASCII or image. */
export type TransferType = "A" | "I";

/** Data channel protection level (RFC 2228 §3): clear or private. */
export type ProtectionLevel = "C" | "P";

/** How far the client has come with USER and PASS (RFC 959 §4.1.1). */
export type Login =
  | { readonly state: "none" }
  | { readonly state: "passwordExpected"; readonly username: string }
  | { readonly state: "loggedIn"; readonly account: Account };

/** State of one control connection. */
export interface Session {
  /** Unique in the process; stands in logs and in 451 replies. */
  readonly id: string;
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  /** Address that the listener was given, which may mean all; passive ports listen there, too. */
  readonly listenHost: string;
  /** Whether the listener speaks TLS from the first byte; such a session starts with private data connections. */
  readonly implicitTls: boolean;
  /** Present once the control connection is protected. */
  readonly tls: TlsInfo | undefined;
  readonly login: Login;
  /** Failed logins since the last success. */
  readonly loginFailures: number;
  /** Current directory: virtual path. */
  readonly directory: string;
  readonly type: TransferType;
  /** Whether PBSZ was given (RFC 4217 §8). */
  readonly bufferSizeSet: boolean;
  readonly protection: ProtectionLevel;
  /** Marker of REST: bytes to skip in the next transfer, 0 for none. */
  readonly restartOffset: number;
  /** Virtual path given by RNFR. */
  readonly renameFrom: string | undefined;
  /** Whether EPSV ALL was given (RFC 2428 §4). */
  readonly extendedPassiveOnly: boolean;
  /** Encoding of names and texts on the control connection and in listings, changed by OPTS UTF8. */
  readonly encoding: TextEncoding;
  /** Facts that MLSD and MLST show, chosen by OPTS MLST. */
  readonly facts: readonly FactName[];
  /** Algorithm of HASH, chosen by OPTS HASH. */
  readonly hashAlgorithm: HashAlgorithm;
  /** Permission bits that files and directories do not get when they are made, chosen by SITE UMASK. */
  readonly umask: number;
}

/** Where SITE UMASK has not said otherwise, that of the server's process alone holds. */
export const NO_UMASK = 0;

/** Makes the record of a new control connection. */
export function createSession(
  options: Pick<Session, "id" | "local" | "remote" | "listenHost" | "implicitTls" | "encoding">,
): Session {
  return {
    ...options,
    tls: undefined,
    login: { state: "none" },
    loginFailures: 0,
    directory: "/",
    type: "A",
    bufferSizeSet: options.implicitTls,
    protection: options.implicitTls ? "P" : "C",
    restartOffset: 0,
    renameFrom: undefined,
    extendedPassiveOnly: false,
    facts: FACT_NAMES,
    hashAlgorithm: HASH_ALGORITHMS[0],
    umask: NO_UMASK,
  };
}

/** The user name given, logged in or not. */
export function usernameOf(session: Session): string | undefined {
  switch (session.login.state) {
    case "none":
      return undefined;
    case "passwordExpected":
      return session.login.username;
    case "loggedIn":
      return session.login.account.username;
  }
}

/** The fields that each event of the session has. */
export function sessionEvent(session: Session): SessionEvent {
  return { session: session.id, remote: formatSocketAddress(session.remote), username: usernameOf(session) };
}
