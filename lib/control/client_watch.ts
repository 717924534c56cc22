/**
 * What the client says, and whether it leaves, while a command is running that the dialogue waits for, or that runs beside it.
 *
 * @module
 */

import { abortable, delay } from "../deadline.ts";
import { ConnectionError } from "../transport/connection.ts";
import type { ControlChannel } from "./control_channel.ts";
import { CommandAbortedError } from "./error_reply.ts";
import type { PendingCommand } from "./pending_command.ts";
import type { SessionEnd } from "./session_end.ts";
import type { RunningTransfer, SessionState } from "./session_state.ts";

/** How long a command may go on that ABOR follows: most end by themselves, and their own reply is the better one. */
const ABORT_GRACE_MS = 250;

/** Reads the control connection ahead of the dialogue while something is running. */
export class ClientWatch {
  readonly #state: SessionState;
  readonly #channel: ControlChannel;
  readonly #end: SessionEnd;
  readonly #pending: PendingCommand;
  #hasQuit = false;
  /** Whether the command that the dialogue waits for waits for the running transfer itself. */
  #awaitsTransfer = false;
  #reading: Promise<void> | undefined;

  constructor(state: SessionState, channel: ControlChannel, end: SessionEnd, pending: PendingCommand) {
    this.#state = state;
    this.#channel = channel;
    this.#end = end;
    this.#pending = pending;
  }

  /**
   * Whether the end of the client would be seen. Not behind more lines than may wait, nor behind one that starts TLS: what
   * comes next may be a handshake.
   */
  get seesEnd(): boolean {
    const { lines } = this.#channel;
    return !lines.isFull && !lines.mayBecomeTls;
  }

  /** Resolves when nothing is read ahead any more. Never rejects. */
  get ended(): Promise<void> {
    return this.#reading ?? Promise.resolve();
  }

  /** Watches until nothing is running any more. May be called while it does. */
  start(): void {
    this.#reading ??= this.#readAhead().finally(() => this.#reading = undefined);
  }

  /** QUIT was obeyed: the client may leave. */
  clientQuit(): void {
    this.#hasQuit = true;
  }

  /**
   * The client has ended its direction. Behind QUIT that says only that it asks for no more; without, it ends the running
   * transfer, too (RFC 959 §4.1.1 QUIT).
   */
  clientLeft(): void {
    const transfer = this.#state.running?.transfer;
    if (this.#hasQuit || this.#channel.lines.waitsFor("quits")) return transfer?.clientLeft();
    this.#end.setReason("client closed the connection");
    transfer?.abort("aborted", "the control connection was closed");
  }

  /** Waits for the running command to end. An ABOR among the lines that have come ends it at once. */
  async runningEnded(): Promise<void> {
    this.#awaitsTransfer = true;
    while (this.#state.running !== undefined) {
      const { transfer, done } = this.#state.running;
      const { lines } = this.#channel;
      if (lines.waitsFor("interrupts")) transfer.abort("aborted", "ABOR");
      await Promise.race([done, lines.arrival]);
    }
    this.#awaitsTransfer = false;
  }

  /** Waits for a command no longer than the session lasts, or until ABOR gives it up. */
  performed<Result>(work: Promise<Result>, options: { readonly mayReadAhead: boolean }): Promise<Result> {
    const waiting = this.#pending.wait(work);
    if (options.mayReadAhead) this.#watchLines(work).catch((error) => this.#end.fail(error));
    return waiting;
  }

  /**
   * Waits for the first reply of a command that has been started, so that replies go out in the order of the commands. An ABOR
   * that comes next need not wait: its own reply does.
   *
   * @throws The reason of the session's end.
   */
  async answered(running: RunningTransfer): Promise<void> {
    const { lines } = this.#channel;
    let isAnswered = false;
    const answered = Promise.race([running.announced, running.done]).then(() => isAnswered = true);
    while (!isAnswered && lines.nextEffect !== "interrupts") {
      if (lines.waitsFor("interrupts")) running.transfer.abort("aborted", "ABOR");
      await abortable(Promise.race([answered, lines.arrival]), this.#end.signal);
    }
  }

  /**
   * Reads ahead while a command is performed. A client that is cut off meanwhile is noticed; its FIN alone says only that it
   * has no more to ask. ABOR gives the command up, unless it ends by itself at once.
   */
  async #watchLines(work: Promise<unknown>): Promise<void> {
    const { lines } = this.#channel;
    while (!lines.waitsFor("interrupts")) {
      if (!this.#pending.isPending(work) || lines.isFull || lines.mayBecomeTls || !await lines.readAhead()) return;
    }
    if (!this.#pending.isPending(work) || this.#state.session.login.state !== "loggedIn") return;
    this.#state.running?.transfer.abort("aborted", "ABOR");
    await delay(ABORT_GRACE_MS, this.#end.signal).catch(() => {}); // the end of the session gives it up as well
    // What waits for the transfer has not begun when that is aborted, and goes on.
    if (this.#pending.isPending(work) && !this.#awaitsTransfer) this.#pending.abort(new CommandAbortedError());
  }

  async #readAhead(): Promise<void> {
    try {
      while (this.#state.running !== undefined) {
        const { lines } = this.#channel;
        if (lines.mayBecomeTls) return;
        if (lines.isFull) await Promise.race([this.#state.running.done, lines.room]);
        else if (!await lines.readAhead()) return this.clientLeft();
      }
    } catch (error) {
      if (error instanceof ConnectionError && this.#hasQuit) this.clientLeft();
      else this.#end.fail(error);
    }
  }
}
