/**
 * What a server tells its operator: one plain object for each event.
 *
 * @module
 */

/** Common fields of the events of one control connection. */
export interface SessionEvent {
  /** Session id: no other session of any server has it; it is in every log line of the session and in 451 replies. */
  readonly session: string;
  /** Client's `address:port` (`[address]:port` in IPv6). */
  readonly remote: string;
  /** User name once USER was given. */
  readonly username?: string | undefined;
}

/** Common fields of the events of one transfer. */
export interface TransferEvent extends SessionEvent {
  /** Command that started it: `"RETR"`, `"STOR"`, `"APPE"`, `"STOU"`. */
  readonly command: string;
  /** Virtual path of the file. */
  readonly path: string;
}

/** A transfer that has come to its end. */
export interface EndedTransferEvent extends TransferEvent {
  /** File bytes sent or received by this transfer, before or after ASCII conversion as on the wire. */
  readonly bytes: number;
  /** Duration in seconds. */
  readonly seconds: number;
}

/** Each event's name and fields. */
export interface ServerEvents {
  /** A listener accepts connections; once for each. */
  listening: { readonly host: string; readonly port: number; readonly tls: "explicit" | "implicit" | "off" };
  /** A control connection was accepted. */
  connected: SessionEvent & {
    /** The balancer's `address:port`, where it has told `remote`. */
    readonly via?: string;
    /** What the balancer calls the connection. */
    readonly uniqueId?: string;
  };
  /** TLS is established on the control connection. */
  secured: SessionEvent & {
    readonly protocol: string;
    readonly cipher: string;
    readonly resumed: boolean;
    /** Certificate that the client has shown. */
    readonly peerCertificate?: {
      readonly subject: string;
      readonly fingerprint: string;
      readonly alternativeNames: readonly string[];
    };
  };
  /** A user is logged in. `notice`: what the user is told besides, as that the password is old. */
  loginSucceeded: SessionEvent & { readonly notice?: string | undefined };
  /** A login was refused. `reason`: why, where it is not that the name or the password is wrong. */
  loginFailed: SessionEvent & { readonly reason?: string | undefined };
  /** A user left by QUIT, REIN or another USER; not when the connection just ends. */
  loggedOut: SessionEvent;
  /** A file transfer begins. */
  transferStarted: TransferEvent;
  /** A file was sent whole. */
  fileSent: EndedTransferEvent;
  /** A file was received whole. */
  fileReceived: EndedTransferEvent;
  /** A file transfer ended before its end. What was received until then is kept. */
  transferIncomplete: EndedTransferEvent & { readonly reason: string };
  /**
   * A command was answered for good. Only made when somebody asks for it by name: by `on`, by `events({ only })`, or a meter.
   */
  commandDone: SessionEvent & {
    /** Verb, upper case; `"?"` where the client sent none that is known. */
    readonly command: string;
    /** Code of the final reply. */
    readonly code: number;
    /** From the command line to the final reply: with the transfer, where it moves a file. */
    readonly seconds: number;
  };
  /** A command was answered with a permanent or transient negative reply. Arguments of secret commands are masked. */
  commandRefused: SessionEvent & {
    readonly command: string;
    readonly argument?: string | undefined;
    readonly code: number;
    readonly reply: string;
  };
  /** An address has failed to log in too often; its connections are refused for a time. */
  banned: { readonly address: string; readonly seconds: number };
  /** Somebody has asked the admin API to change something, which is done next. */
  administered: {
    /** What, such as `"ban"`. */
    readonly action: string;
    /** To whom or what, such as `"address 192.0.2.1"`; empty for the server itself. */
    readonly subject: string;
    /** Address of who asked, or `"unix socket"`. */
    readonly by: string;
  };
  /** A certificate was ordered (`tls.acme`) and is in use. */
  certificateRenewed: {
    readonly names: readonly string[];
    /** SHA-256. */
    readonly fingerprint: string;
    /** When it ends, as ISO 8601. */
    readonly validTo: string;
  };
  /** A certificate could not be had (`tls.acme`); the one before stays. */
  certificateRenewalFailed: {
    readonly names: readonly string[];
    readonly reason: string;
    /** What can be done about it. */
    readonly hint: string;
    /** Attempts that have failed in a row. */
    readonly failures: number;
    /** When it is tried again, as ISO 8601. */
    readonly nextAttempt: string;
  };
  /** A connection was refused before its session began. */
  connectionRefused: { readonly remote: string; readonly reason: string };
  /** The name that PASV announces the address of has one for the first time, or another one than before. */
  addressResolved: { readonly name: string; readonly address: string };
  /** That name was not found any more; once, until it is found again. `kept`: the address that is announced still. */
  addressUnresolved: { readonly name: string; readonly reason: string; readonly kept?: string | undefined };
  /**
   * Something unexpected happened; the client got 451 with the session id, if it could be reached. `uncaught`: nobody
   * expected an error there, and the session was ended; see `catchUncaughtErrors()`.
   */
  internalError: {
    readonly session?: string | undefined;
    readonly message: string;
    readonly cause?: unknown;
    readonly uncaught?: true;
  };
  /** One line of the protocol dialogue, secrets masked; only made when somebody listens at debug level. */
  dialogue: SessionEvent & { readonly direction: "received" | "sent"; readonly line: string };
  /** A control connection has ended. */
  disconnected: SessionEvent & { readonly seconds: number; readonly reason: string };
  /** The server has stopped; nothing follows. */
  stopped: Record<never, never>;
  /** Whoever reads a stream of events was too slow: so many were left out before the next one. Nobody else gets this event. */
  eventsMissed: { readonly count: number };
}

/** Name of an event. */
export type ServerEventName = keyof ServerEvents;

/** An event of a name: its name, its time, its fields. */
export type ServerEventOf<Name extends ServerEventName> = {
  [Each in Name]: { readonly event: Each; readonly time: Date } & ServerEvents[Each];
}[Name];

/** An event: its name, its time, its fields. */
export type ServerEvent = ServerEventOf<ServerEventName>;

/** Receives each event as it happens. Must not throw; a throw is reported as `internalError` and ends nothing. */
export type EventListener = (event: ServerEvent) => void;

/**
 * Receives the events of one name. One that is asynchronous runs beside the server, which waits for it when it stops; its
 * failure, like a throw, is reported as `internalError` and ends nothing.
 */
export type EventHandler<Name extends ServerEventName> = (event: ServerEventOf<Name>) => void | Promise<void>;

/** Handlers by the name of their event. */
export type EventHandlers = { readonly [Name in ServerEventName]?: EventHandler<Name> };
