/**
 * What commands see of their control connection.
 *
 * @module
 */

import type { Account } from "../accounts/authorizer.ts";
import type { CommandContext, CommandSpec, LoginFailure, TransferPlan } from "../commands/command.ts";
import type { CommandTable } from "../commands/command_table.ts";
import { NO_DATA_PORT } from "../commands/restart.ts";
import type { DataPort } from "../data/data_port.ts";
import { Throttle } from "../data/throttle.ts";
import { type Transfer, TransferError, type TransferOptions } from "../data/transfer.ts";
import type { EndedTransferEvent } from "../events.ts";
import type { Digest, HashAlgorithm } from "../filesystem/digest.ts";
import type { FileSystem } from "../filesystem/filesystem.ts";
import { guarded } from "../filesystem/guarded_filesystem.ts";
import { PendingCalls } from "../filesystem/pending_calls.ts";
import { formatSocketAddress } from "../protocol/host_port.ts";
import { type Reply, reply } from "../protocol/reply.ts";
import type { TextEncoding } from "../protocol/text_encoding.ts";
import { type Session, sessionEvent } from "../session/session.ts";
import type { Settings } from "../session/settings.ts";
import type { DataTransport, SocketAddress } from "../transport/connection.ts";
import { authenticate } from "./authentication.ts";
import { assertClientConnected } from "./client_connected.ts";
import type { Service } from "./service.ts";
import { type AccountSlot, createRate } from "../state/state.ts";
import { describeThrown } from "../thrown.ts";

/** A command that moves bytes, from its start to its final reply. */
export interface RunningTransfer {
  readonly transfer: Transfer;
  /** The session as it was at the start: commands beside the transfer may change it. */
  readonly session: Session;
  /** The session's place among those of its account, which the transfer keeps to its end, also when the user has left. */
  readonly place: AccountSlot | undefined;
  /** The file, once it is open; absent for listings. */
  file?: NonNullable<TransferPlan["file"]>;
  /** Resolves when the preliminary reply was sent; never, where the final reply is the first. */
  readonly announced: Promise<void>;
  /** Says so. */
  readonly announce: () => void;
  /** Resolves when the final reply was sent, or could not be. */
  done: Promise<void>;
  /** Tells of the end of a file transfer; there once it has ended. */
  report?: () => void;
}

/** What the context needs of its control connection. */
export interface ContextHost {
  session: Session;
  /** The session's place among those of its account, while somebody is logged in. */
  place: AccountSlot | undefined;
  readonly service: Service;
  /** The service's settings when the session began. */
  readonly settings: Settings;
  /** The service's commands when the session began. */
  readonly commands: CommandTable;
  readonly dataPort: DataPort;
  readonly running: RunningTransfer | undefined;
  /** Whether the end of the client would be noticed now. */
  readonly seesClientEnd: boolean;
  /** Aborts when the session ends. */
  readonly signal: AbortSignal;
  /** Aborts when the command is given up that the dialogue waits for, and when the session ends. */
  readonly commandSignal: AbortSignal;
  /** Sends a reply. */
  send(reply: Reply): Promise<void>;
}

/** Implements the context on a control connection. */
export class SessionContext implements CommandContext {
  readonly #host: ContextHost;
  /** The file system of the last account. */
  #guarded: { readonly account: Account; readonly fileSystem: FileSystem } | undefined;
  readonly #calls = new PendingCalls();

  constructor(host: ContextHost) {
    this.#host = host;
  }

  get commands(): readonly CommandSpec[] {
    return this.#host.commands.rows;
  }

  findCommand(verb: string): CommandSpec | undefined {
    return this.#host.commands.find(verb);
  }

  get session(): Session {
    return this.#host.session;
  }

  get settings(): Settings {
    return this.#host.settings;
  }

  get dataPort(): DataPort {
    return this.#host.dataPort;
  }

  get transfer(): Transfer | undefined {
    return this.#host.running?.transfer;
  }

  get defaultEncoding(): TextEncoding {
    return this.#host.service.encoding;
  }

  get tlsAvailable(): boolean {
    return this.#host.service.dataTransports.P !== undefined;
  }

  get signal(): AbortSignal {
    return this.#host.commandSignal;
  }

  get account(): Account {
    const { login } = this.session;
    if (login.state !== "loggedIn") throw new Error("A command that needs a login was admitted without one");
    return login.account;
  }

  get fileSystem(): FileSystem {
    const { account } = this;
    if (this.#guarded?.account !== account) {
      this.#guarded = { account, fileSystem: guarded(account.fileSystem, this.#calls, (error) => this.#report(error)) };
    }
    return this.#guarded.fileSystem;
  }

  get dataTransport(): DataTransport {
    const transport = this.#host.service.dataTransports[this.session.protection];
    if (transport === undefined) throw new Error("Data connections were protected without TLS");
    return transport;
  }

  update(next: Session): void {
    this.#host.session = next;
  }

  async acquireAccount({ username, limits = {} }: Account): Promise<boolean> {
    const place = await this.#host.service.state.acquireAccount(username, limits, this.#host.signal);
    // The client may have left while another event loop was asked.
    if (this.#host.signal.aborted) place?.[Symbol.dispose]();
    else this.#host.place = place;
    return place !== undefined;
  }

  leaveAccount(): void {
    const { place, running } = this.#host;
    this.#host.place = undefined;
    if (running?.place !== place) place?.[Symbol.dispose]();
  }

  authenticate(username: string, password: string): Promise<Account | LoginFailure> {
    return authenticate(this.#host, username, password);
  }

  createDigest(algorithm: HashAlgorithm): Digest {
    return this.#host.service.createDigest(algorithm);
  }

  async transferEnded(): Promise<void> {
    await this.#host.running?.done;
  }

  emit(event: "loginSucceeded" | "loggedOut"): void {
    this.#host.service.emit(event, sessionEvent(this.session));
  }

  foreignPeer(peer: SocketAddress): void {
    this.#host.service.emit("connectionRefused", {
      remote: formatSocketAddress(peer),
      reason: `data connection of session ${this.session.id} expected from ${this.session.remote.host}`,
    });
  }

  async transferData(plan: TransferPlan): Promise<Reply> {
    const { running } = this.#host;
    if (running === undefined) throw new Error("A row that moves data must say so in dataConnection");
    if (this.dataPort.state === "closed" && !plan.portMayFollow) return NO_DATA_PORT;
    await this.#host.send(reply(150, plan.announcement));
    const finished = this.#announce(plan, running);
    try {
      const moving = running.transfer.run(this.dataPort, this.#transferOptions(plan, running.place), plan.body);
      running.announce(); // now that a port that follows is awaited
      await moving;
      if (running.transfer.ending === "fin") await this.#assertClientConnected(running.transfer);
      await plan.finish?.();
    } catch (error) {
      finished(error instanceof Error ? error : new Error(describeThrown(error), { cause: error }));
      throw error;
    }
    finished();
    return reply(226, "Transfer complete.");
  }

  /** Resolves when no call of a file system is under way. Never rejects. */
  filesSettled(): Promise<void> {
    return this.#calls.settled();
  }

  #report(cause: unknown): void {
    this.#host.service.emit("internalError", { session: this.session.id, message: describeThrown(cause), cause });
  }

  async #assertClientConnected(transfer: Transfer): Promise<void> {
    await assertClientConnected(transfer, this.#host.signal);
    if (this.#host.seesClientEnd) return;
    throw new TransferError("aborted", "too many commands were waiting to see whether the client is still there");
  }

  #transferOptions(plan: TransferPlan, place: AccountSlot | undefined): TransferOptions {
    const { timeouts, tls, transfer } = this.settings;
    const own = createRate(transfer.bandwidth[plan.direction === "send" ? "download" : "upload"]);
    const rates = [own, place?.[plan.direction]].filter((rate) => rate !== undefined);
    return {
      throttles: rates.map((rate) => new Throttle(rate)),
      direction: plan.direction,
      openMs: timeouts.passiveMs,
      stallMs: timeouts.dataMs,
      handshakeMs: timeouts.handshakeMs,
      requireSessionReuse: tls.sessionReuse === "require",
      requireCloseNotify: tls.requireCloseNotify,
    };
  }

  /** Tells that a file transfer starts; the returned function prepares the event of its end. */
  #announce(plan: TransferPlan, running: RunningTransfer): (error?: Error) => void {
    const { file } = plan;
    if (file === undefined) return () => {};
    running.file = file;
    const { service } = this.#host;
    const base = { ...sessionEvent(running.session), ...file };
    service.emit("transferStarted", base);
    return (error) => {
      const { bytes, seconds } = running.transfer;
      const ended: EndedTransferEvent = { ...base, bytes, seconds };
      const complete = plan.direction === "send" ? "fileSent" : "fileReceived";
      running.report = error === undefined
        ? () => service.emit(complete, ended)
        : () => service.emit("transferIncomplete", { ...ended, reason: error.message });
    };
  }
}
