/**
 * Every change of a session, as pure functions from one record to the next.
 *
 * @module
 */

import type { Account } from "../accounts/authorizer.ts";
import type { HashAlgorithm } from "../filesystem/digest.ts";
import type { FactName } from "../protocol/facts.ts";
import type { TextEncoding } from "../protocol/text_encoding.ts";
import type { TlsInfo } from "../transport/connection.ts";
import { NO_UMASK, type ProtectionLevel, type Session, type TransferType } from "./session.ts";

/** TLS stands. What was begun in clear is forgotten, so that nothing injected before lives on (RFC 4217 §15.1). */
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

/** PASS was wrong; the name is forgotten. */
export function loginRefused(session: Session): Session {
  return { ...session, login: { state: "none" }, loginFailures: session.loginFailures + 1 };
}

/** REIN: back to the state after the greeting but for TLS, EPSV ALL and the choice of facts (RFC 959 §4.1.1, RFC 4217 §11). */
export function flushed(session: Session): Session {
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

/** CWD, CDUP. */
export function directoryChanged(session: Session, directory: string): Session {
  return { ...session, directory };
}

/** TYPE. */
export function typeChanged(session: Session, type: TransferType): Session {
  return { ...session, type };
}

/** PBSZ. */
export function bufferSizeGiven(session: Session): Session {
  return { ...session, bufferSizeSet: true };
}

/** PROT. */
export function protectionChanged(session: Session, protection: ProtectionLevel): Session {
  return { ...session, protection };
}

/** REST, or its use by a transfer (offset 0). */
export function restartMarked(session: Session, restartOffset: number): Session {
  return { ...session, restartOffset };
}

/** RNFR, or its use by RNTO (`undefined`). */
export function renameMarked(session: Session, renameFrom: string | undefined): Session {
  return { ...session, renameFrom };
}

/** A line that cannot be read may have been the command that REST or RNFR were for. */
export function marksForgotten(session: Session): Session {
  return { ...session, restartOffset: 0, renameFrom: undefined };
}

/** EPSV ALL. */
export function extendedPassiveRequired(session: Session): Session {
  return { ...session, extendedPassiveOnly: true };
}

/** OPTS MLST. */
export function factsChosen(session: Session, facts: readonly FactName[]): Session {
  return { ...session, facts };
}

/** OPTS UTF8. */
export function encodingChosen(session: Session, encoding: TextEncoding): Session {
  return { ...session, encoding };
}

/** OPTS HASH. */
export function hashChosen(session: Session, hashAlgorithm: HashAlgorithm): Session {
  return { ...session, hashAlgorithm };
}

/** SITE UMASK. */
export function umaskChosen(session: Session, umask: number): Session {
  return { ...session, umask };
}
