/**
 * What the client says, and whether it leaves, while a command is running that the dialogue waits for, or that runs beside it.
 *
 * @module
 */

import { abortable } from "../deadline.ts";
import { ConnectionError } from "../transport/connection.ts";
import type { ControlChannel } from "./control_channel.ts";
import type { SessionEnd } from "./session_end.ts";
import type { RunningTransfer, SessionState } from "./session_state.ts";

/** Reads the control connection ahead of the dialogue while something is running. */
export class ClientWatch {
  readonly #state: SessionState;
  readonly #channel: ControlChannel;
  readonly #end: SessionEnd;
  #hasQuit = false;
  #reading: Promise<void> | undefined;

  constructor(state: SessionState, channel: ControlChannel, end: SessionEnd) {
    this.#state = state;
    this.#channel = channel;
    this.#end = end;
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
    while (this.#state.running !== undefined) {
      const { transfer, done } = this.#state.running;
      const { lines } = this.#channel;
      if (lines.waitsFor("interrupts")) transfer.abort("aborted", "ABOR");
      await Promise.race([done, lines.arrival]);
    }
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
