/**
 * What an operator may know about a session that goes on.
 *
 * @module
 */

import type { SessionEvent } from "../events.ts";

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
