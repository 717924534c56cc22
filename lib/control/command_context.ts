/**
 * What commands see of their control connection.
 *
 * @module
 */

import type { Account } from "../accounts/authorizer.ts";
import type { CommandContext, CommandSpec, LoginFailure, TransferPlan } from "../commands/command.ts";
import { NO_DATA_PORT } from "../commands/file_transfer.ts";
import type { DataPort } from "../data/data_port.ts";
import { Throttle } from "../data/pacing.ts";
import { type Transfer, TransferError, type TransferOptions } from "../data/transfer.ts";
import { delay } from "../deadline.ts";
import type { EndedTransferEvent } from "../events.ts";
import type { Digest, FileSystem, HashAlgorithm } from "../filesystem/filesystem.ts";
import { guardFileSystem } from "../filesystem/guarded_filesystem.ts";
import { PendingCalls } from "../filesystem/pending_calls.ts";
import { formatSocketAddress } from "../protocol/host_port.ts";
import { type Reply, reply } from "../protocol/reply.ts";
import type { TextEncoding } from "../protocol/text_encoding.ts";
import { type Session, sessionEvent } from "../session/session.ts";
import type { Settings } from "../settings/settings.ts";
import { type AccountSlot, createRate } from "../state/state.ts";
import { describeThrown } from "../thrown.ts";
import type { DataTransport, SocketAddress } from "../transport/connection.ts";
import { authenticate, authorize } from "./authentication.ts";
import type { ClientWatch } from "./client_watch.ts";
import type { ControlChannel } from "./control_channel.ts";
import type { PendingCommand } from "./pending_command.ts";
import type { SessionEnd } from "./session_end.ts";
import type { RunningTransfer, SessionState } from "./session_state.ts";

/** The parts of a control connection that commands work with. */
interface ContextParts {
  readonly dataPort: DataPort;
  readonly channel: ControlChannel;
  readonly end: SessionEnd;
  readonly watch: ClientWatch;
  readonly pending: PendingCommand;
}

/** Implements the context on a control connection. */
export class SessionContext implements CommandContext {
  readonly dataPort: DataPort;
  readonly #state: SessionState;
  readonly #parts: ContextParts;
  /** The file system of the last account. */
  #guarded: { readonly account: Account; readonly fileSystem: FileSystem } | undefined;
  readonly #calls = new PendingCalls();

  constructor(state: SessionState, parts: ContextParts) {
    this.#state = state;
    this.#parts = parts;
    this.dataPort = parts.dataPort;
  }

  get commands(): readonly CommandSpec[] {
    return this.#state.commands.rows;
  }

  findCommand(verb: string): CommandSpec | undefined {
    return this.#state.commands.find(verb);
  }

  get session(): Session {
    return this.#state.session;
  }

  get settings(): Settings {
    return this.#state.settings;
  }

  get transfer(): Transfer | undefined {
    return this.#state.running?.transfer;
  }

  get defaultEncoding(): TextEncoding {
    return this.#state.service.encoding;
  }

  get tlsAvailable(): boolean {
    return this.#state.dataTransports.P !== undefined;
  }

  get passiveAddress(): string | undefined {
    return this.#state.service.passiveAddress;
  }

  get signal(): AbortSignal {
    return this.#parts.pending.signal;
  }

  get account(): Account {
    const { login } = this.session;
    if (login.state !== "loggedIn") throw new Error("A command that needs a login was admitted without one");
    return login.account;
  }

  get fileSystem(): FileSystem {
    const { account } = this;
    if (this.#guarded?.account !== account) {
      this.#guarded = {
        account,
        fileSystem: guardFileSystem(account.fileSystem, this.#calls, (error) => this.#state.reportError(error)),
      };
    }
    return this.#guarded.fileSystem;
  }

  get isPrompt(): boolean {
    return this.#parts.channel.lines.isPrompt;
  }

  get dataTransport(): DataTransport {
    const transport = this.#state.dataTransports[this.session.protection];
    if (transport === undefined) throw new Error("Data connections were protected without TLS");
    return transport;
  }

  update(patch: Partial<Session>): void {
    this.#state.update(patch);
  }

  async acquireAccount({ username, limits = {} }: Account): Promise<boolean> {
    const { signal } = this.#parts.end;
    const slot = await this.#state.service.state.acquireAccount(username, limits, signal);
    // The client may have left while another event loop was asked.
    if (signal.aborted) slot?.[Symbol.dispose]();
    else this.#state.keepAccount(slot);
    return slot !== undefined;
  }

  releaseAccount(): void {
    this.#state.releaseAccount();
  }

  authenticate(username: string, password: string): Promise<Account | LoginFailure> {
    return authenticate(this.#state, { username, password }, this.#parts.end);
  }

  authorize(username: string): Promise<Account | "banned" | undefined> {
    return authorize(this.#state, username, this.#parts.end);
  }

  createDigest(algorithm: HashAlgorithm): Digest {
    return this.#state.service.createDigest(algorithm);
  }

  async transferEnded(): Promise<void> {
    await this.#state.running?.done;
  }

  emit(event: "loginSucceeded" | "loggedOut", notice?: string): void {
    this.#state.service.emit(event, { ...this.#state.event, ...notice !== undefined && { notice } });
  }

  reportForeignPeer(peer: SocketAddress): void {
    this.#state.service.emit("connectionRefused", {
      remote: formatSocketAddress(peer),
      reason: `data connection of session ${this.session.id} expected from ${this.session.remote.host}`,
    });
  }

  async transferData(plan: TransferPlan): Promise<Reply> {
    const { running } = this.#state;
    if (running === undefined) throw new Error("A row that moves data must say so in dataConnection");
    if (this.dataPort.state === "closed" && !plan.portMayFollow) return NO_DATA_PORT;
    // By itself: some clients lose the file when the final reply comes in the same piece.
    await this.#parts.channel.send(reply(150, plan.announcement));
    const finished = this.#announce(plan, running);
    try {
      const moving = this.#move(plan, running);
      running.announce(); // now that a port that follows is awaited
      await moving;
      if (running.transfer.ending === "fin") await this.#assertClientConnected(running.transfer);
      await plan.finish?.(running.transfer);
      await this.#keep(plan, running);
    } catch (error) {
      finished(error instanceof Error ? error : new Error(describeThrown(error), { cause: error }));
      throw error;
    }
    finished();
    return reply(226, "Transfer complete.");
  }

  async #move(plan: TransferPlan, { transfer, slot }: RunningTransfer): Promise<void> {
    const { trace } = this.#state.service;
    const move = () => transfer.run(this.dataPort, this.#transferOptions(plan, slot), plan.body);
    if (trace === undefined) return await move();
    await trace("transfer", { "ftp.direction": plan.direction }, async (span) => {
      await move();
      span.set("ftp.bytes", transfer.bytes);
    });
  }

  /** Resolves when no call of a file system is under way. Never rejects. */
  filesSettled(): Promise<void> {
    return this.#calls.settled();
  }

  async #assertClientConnected(transfer: Transfer): Promise<void> {
    const { end, watch } = this.#parts;
    await assertClientConnected(transfer, end.signal);
    if (watch.seesEnd) return;
    throw new TransferError("aborted", "too many commands were waiting to see whether the client is still there");
  }

  #transferOptions(plan: TransferPlan, slot: AccountSlot | undefined): TransferOptions {
    const { timeouts, tls, transfer } = this.settings;
    const own = createRate(transfer.bandwidth[plan.direction === "send" ? "download" : "upload"]);
    const rates = [own, slot?.[plan.direction]].filter((rate) => rate !== undefined);
    return {
      throttles: rates.map((rate) => new Throttle(rate)),
      direction: plan.direction,
      openMs: timeouts.passive * 1000,
      stallMs: timeouts.data * 1000,
      handshakeMs: timeouts.handshake * 1000,
      requireSessionReuse: tls.sessionReuse === "require",
      requireCloseNotify: tls.requireCloseNotify,
    };
  }

  /** Lets whoever wants to know of the file for certain keep that, before the client gets 226. */
  async #keep(
    { direction, file }: TransferPlan,
    { transfer: { bytes, seconds }, session }: RunningTransfer,
  ): Promise<void> {
    const { keeper } = this.#state.service;
    if (keeper === undefined || file === undefined) return;
    const event = direction === "send" ? "fileSent" : "fileReceived";
    await keeper.keep({ event, time: new Date(), ...sessionEvent(session), ...file, bytes, seconds });
  }

  /** Emits the start of a file transfer; the returned function prepares the event of its end. */
  #announce(plan: TransferPlan, running: RunningTransfer): (error?: Error) => void {
    const { file } = plan;
    if (file === undefined) return () => {};
    running.file = file;
    const { service } = this.#state;
    const { onMoved } = service;
    if (onMoved !== undefined) running.transfer.onMoved = (bytes) => onMoved(plan.direction, bytes);
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

/** An upload that is no larger and no slower is sent in one go, in which hardly any client gets killed. */
const QUICK_UPLOAD_BYTES = 64 * 1024;
const QUICK_UPLOAD_SECONDS = 0.05;
/** A process that is killed takes a millisecond to end its connections: without this wait, 31 of 100 came too late. */
const MIN_WAIT_MS = 2;
/** The longer an upload took, the likelier is it that it was cut, and the less does it matter to wait: so much of its time. */
const WAIT_FRACTION = 0.05;
const CHECK_SECONDS = 0.005;
const MIN_CHECKS = 8;
const MAX_CHECKS = 20;

/**
 * Waits as long as the other end of a client may come behind that of its upload.
 *
 * A client that is killed ends its upload by FIN, like one that is done. Its control connection ends in the same moment,
 * which must be noticed first: nobody is left to hear that the file is whole.
 *
 * @param transfer Has ended by FIN.
 * @param signal Aborts with the session, which fails the transfer.
 * @throws {TransferError} When the client is gone.
 */
async function assertClientConnected(transfer: Transfer, signal: AbortSignal): Promise<void> {
  let checksLeft = checksNeeded(transfer);
  // A late timer goes before the ends that have come meanwhile. On a busy machine 20 ms have been seen between the two.
  for (let checks = 0; checks < MAX_CHECKS && checksLeft > 0; checks++) {
    if (await isOnTime(signal)) checksLeft--;
    if (transfer.failure !== undefined) throw transfer.failure;
  }
  await delay(MIN_WAIT_MS, signal).catch(() => {}); // the end of the session has failed the transfer
  if (transfer.failure !== undefined) throw transfer.failure;
}

function checksNeeded({ bytes, seconds }: Transfer): number {
  if (bytes <= QUICK_UPLOAD_BYTES && seconds < QUICK_UPLOAD_SECONDS) return 0;
  return Math.max(Math.ceil(seconds * WAIT_FRACTION / CHECK_SECONDS), MIN_CHECKS);
}

async function isOnTime(signal: AbortSignal): Promise<boolean> {
  const startedAt = performance.now();
  await delay(CHECK_SECONDS * 1000, signal).catch(() => {}); // as above
  return performance.now() - startedAt < 2 * CHECK_SECONDS * 1000;
}
