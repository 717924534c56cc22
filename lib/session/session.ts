/**
 * The record of one control connection: everything that commands read and change about it. It is never mutated: most
 * changes are a patch of fields, and those that are more than that are functions here.
 *
 * @module
 */

import type { Account } from "../accounts/authorizer.ts";
import type { SessionEvent } from "../events.ts";
import { HASH_ALGORITHMS, type HashAlgorithm } from "../filesystem/filesystem.ts";
import { FACT_NAMES, type FactName } from "../protocol/facts.ts";
import { formatSocketAddress } from "../protocol/host_port.ts";
import type { TextEncoding } from "../protocol/text_encoding.ts";
import type { ProxyRoute, SocketAddress, TlsInfo } from "../transport/connection.ts";

/** Representation type (RFC 959 §3.1.1): ASCII or image. */
export type TransferType = "A" | "I";

/** Data channel protection level (RFC 2228 §3): clear or private. */
export type ProtectionLevel = "C" | "P";

/** How far the client has come with USER and PASS (RFC 959 §4.1.1). */
export type Login =
  | { readonly state: "none" }
  | { readonly state: "passwordExpected"; readonly username: string }
  | {
    readonly state: "loggedIn";
    readonly account: Account;
    /** Present where a certificate was enough: no password has been asked for. */
    readonly withoutPassword?: true;
  };

/** State of one control connection. */
export interface Session {
  /** Unique in the process; part of logs and of 451 replies. */
  readonly id: string;
  /** Where the client has reached the server, or the balancer before it. */
  readonly local: SocketAddress;
  /** The client. */
  readonly remote: SocketAddress;
  /** Present where a balancer has told both. */
  readonly route?: ProxyRoute | undefined;
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

/** A file that is being sent or received. */
export interface TransferInfo {
  /** Command that started it: `"RETR"`, `"STOR"`, `"APPE"`, `"STOU"`. */
  readonly command: string;
  /** Virtual path of the file. */
  readonly path: string;
  /** Bytes moved on the data connection until now. */
  readonly bytes: number;
  /** Seconds since the command came. */
  readonly seconds: number;
}

/** A session as it is at one moment. */
export interface SessionInfo extends SessionEvent {
  /** Whether {@linkcode SessionEvent.username} has logged in. */
  readonly isLoggedIn: boolean;
  /** TLS of the control connection, such as `"TLSv1.3"`; `undefined` while it is in clear. */
  readonly tls: string | undefined;
  /** When the control connection was accepted. */
  readonly since: Date;
  /** The file that is being transferred, if one is. */
  readonly transfer: TransferInfo | undefined;
}

/** Where SITE UMASK has not said otherwise, that of the server's process alone holds. */
export const NO_UMASK = 0;

/** Makes the record of a new control connection. */
export function createSession(
  options: Pick<Session, "id" | "local" | "remote" | "route" | "listenHost" | "implicitTls" | "encoding">,
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

/** TLS is on. What was begun in clear is forgotten, so that nothing injected before lives on (RFC 4217 §15.1). */
export function secured(session: Session, tls: TlsInfo): Session {
  const login = session.login.state === "passwordExpected" ? { state: "none" } as const : session.login;
  return { ...session, tls, login, restartOffset: 0, renameFrom: undefined };
}

/**
 * USER: a password is expected. A user who was logged in is logged out; transfer parameters stay as they are, PBSZ and PROT
 * among them (RFC 959 §4.1.1).
 */
export function userGiven(session: Session, username: string): Session {
  const base = session.login.state === "loggedIn" ? loggedOut(session) : session;
  return { ...base, login: { state: "passwordExpected", username } };
}

/** PASS was right. */
export function loggedIn(session: Session, account: Account): Session {
  return { ...session, login: { state: "loggedIn", account }, loginFailures: 0, directory: "/" };
}

/** The certificate that the client has shown was enough. */
export function loggedInWithoutPassword(session: Session, account: Account): Session {
  return { ...loggedIn(session, account), login: { state: "loggedIn", account, withoutPassword: true } };
}

/** PASS was wrong; the name is forgotten. */
export function loginRefused(session: Session): Session {
  return { ...session, login: { state: "none" }, loginFailures: session.loginFailures + 1 };
}

/** REIN: back to the state after the greeting but for TLS, EPSV ALL and the choice of facts (RFC 959 §4.1.1, RFC 4217 §11). */
export function reinitialized(session: Session): Session {
  return {
    ...loggedOut(session),
    type: "A",
    bufferSizeSet: session.implicitTls,
    protection: session.implicitTls ? "P" : "C",
  };
}

/** Leaves nothing of the user. */
function loggedOut(session: Session): Session {
  return {
    ...session,
    login: { state: "none" },
    loginFailures: 0,
    directory: "/",
    restartOffset: 0,
    renameFrom: undefined,
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
