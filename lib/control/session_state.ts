/**
 * What control connections share, and the state of one that its parts share and change only here.
 *
 * @module
 */

import type { Authorizer } from "../accounts/authorizer.ts";
import type { CommandContext, TransferPlan } from "../commands/command.ts";
import type { CommandTable } from "../commands/command_table.ts";
import type { PortPool } from "../data/port_pool.ts";
import { Transfer } from "../data/transfer.ts";
import type { EventKeeper } from "../event_keeper.ts";
import type { ServerEventName, ServerEvents, SessionEvent } from "../events.ts";
import type { Digest, HashAlgorithm } from "../filesystem/filesystem.ts";
import type { Meter } from "../meter.ts";
import type { TextEncoding } from "../protocol/text_encoding.ts";
import { type Session, sessionEvent } from "../session/session.ts";
import type { Settings } from "../settings/settings.ts";
import type { AccountSlot, SharedState } from "../state/state.ts";
import type { Trace } from "../tracing.ts";
import { describeThrown } from "../thrown.ts";
import type { DataTransport } from "../transport/connection.ts";

/** Transports of data connections by protection level; without TLS there is no private one. */
export interface DataTransports {
  readonly C: DataTransport;
  readonly P: DataTransport | undefined;
}

/** What all control connections of a server share. Made by the server, once. */
export interface Service {
  /** Settings for sessions that begin now. */
  readonly settings: Settings;
  /** Commands for sessions that begin now. */
  readonly commands: CommandTable;
  /** Authorizer for logins that begin now. */
  readonly authorizer: Authorizer;
  readonly state: SharedState;
  /** Those of clients that connect by themselves. */
  readonly dataTransports: DataTransports;
  readonly ports: PortPool;
  /** See `CommandContext`. */
  readonly passiveAddress: CommandContext["passiveAddress"];
  /** Encoding of the dialogue, unless a client chooses UTF-8. */
  readonly encoding: TextEncoding;
  /** Makes a digest of no bytes yet. */
  readonly createDigest: (algorithm: HashAlgorithm) => Digest;
  /** Whether anybody wants `dialogue` events. */
  readonly wantsDialogue: boolean;
  /** Whether anybody wants `commandDone` events. */
  readonly wantsCommands: boolean;
  /** Counts bytes of files; absent: nobody does. */
  readonly onMoved?: Meter["moved"] | undefined;
  /** Does work in spans; absent: nobody follows them. */
  readonly trace?: Trace | undefined;
  /** Keeps what files have been moved before clients hear of it; absent: nobody does. */
  readonly keeper?: EventKeeper | undefined;
  /** Emits an event; never throws. */
  emit<Name extends ServerEventName>(event: Name, fields: ServerEvents[Name]): void;
}

/** A command that moves bytes, from its start to its final reply. */
export interface RunningTransfer {
  readonly transfer: Transfer;
  /** The session as it was at the start: commands beside the transfer may change it. */
  readonly session: Session;
  /** The session's slot of its account, which the transfer keeps to its end, also when the user has left. */
  readonly slot: AccountSlot | undefined;
  /** The file, once it is open; absent for listings. */
  file?: NonNullable<TransferPlan["file"]>;
  /** Resolves when the preliminary reply was sent; never, where the final reply is the first. */
  readonly announced: Promise<void>;
  /** Resolves {@linkcode RunningTransfer.announced}. */
  readonly announce: () => void;
  /** Resolves when the final reply was sent, or could not be. */
  done: Promise<void>;
  /** Emits the end of a file transfer; present once it has ended. */
  report?: () => void;
}

/** State of one control connection. */
export class SessionState {
  readonly service: Service;
  /** The service's settings when the session began. */
  readonly settings: Settings;
  /** The service's commands when the session began. */
  readonly commands: CommandTable;
  readonly dataTransports: DataTransports;
  #session: Session;
  #slot: AccountSlot | undefined;
  #running: RunningTransfer | undefined;

  /** @param dataTransports Those of the session's listener; absent: the service's. */
  constructor(service: Service, session: Session, dataTransports: DataTransports = service.dataTransports) {
    this.service = service;
    this.dataTransports = dataTransports;
    this.settings = service.settings;
    this.commands = service.commands;
    this.#session = session;
  }

  /** The session as it is now. */
  get session(): Session {
    return this.#session;
  }

  /** The transfer that is running. */
  get running(): RunningTransfer | undefined {
    return this.#running;
  }

  /** The fields that each event of the session has. */
  get event(): SessionEvent {
    return sessionEvent(this.#session);
  }

  /** Changes the session. */
  update(patch: Partial<Session>): void {
    this.#session = { ...this.#session, ...patch };
  }

  /** Keeps a slot of the account of whoever logs in. */
  keepAccount(slot: AccountSlot | undefined): void {
    this.#slot = slot;
  }

  /** Releases the slot of the account, or leaves that to the running transfer. */
  releaseAccount(): void {
    const slot = this.#slot;
    this.#slot = undefined;
    if (this.#running?.slot !== slot) slot?.[Symbol.dispose]();
  }

  /** Begins a transfer in the session as it is. */
  startTransfer(): RunningTransfer {
    const { promise: announced, resolve: announce } = Promise.withResolvers<void>();
    return this.#running = {
      transfer: new Transfer(),
      session: this.#session,
      slot: this.#slot,
      announced,
      announce,
      done: Promise.resolve(),
    };
  }

  /** Ends the running transfer. */
  endTransfer({ slot }: RunningTransfer): void {
    this.#running = undefined;
    if (slot !== this.#slot) slot?.[Symbol.dispose]();
  }

  /** Reports an error that is no fault of the client. */
  reportError(cause: unknown, options: { readonly uncaught?: true } = {}): void {
    const { id: session } = this.#session;
    this.service.emit("internalError", { session, message: describeThrown(cause), cause, ...options });
  }
}
