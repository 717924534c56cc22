/**
 * How a session ends: why, with which last reply, and what is interrupted for it.
 *
 * @module
 */

import type { DataPort } from "../data/data_port.ts";
import { Watchdog } from "../deadline.ts";
import { type Reply, reply } from "../protocol/reply.ts";
import { CertificateRefusedError, ConnectionError, type ConnectionErrorKind } from "../transport/connection.ts";
import type { ControlChannel } from "./control_channel.ts";
import type { SessionState } from "./session_state.ts";

/** How long the client may take for the last reply. */
const GOODBYE_TIMEOUT_MS = 5_000;

/** The reason of all signals of ended sessions: making one for each takes a stack trace, 58 us. */
const SESSION_ENDED = Object.freeze(new DOMException("The session has ended", "AbortError"));

/** How the log puts the end of a control connection. */
const CONNECTION_ENDS: Readonly<Record<ConnectionErrorKind, string>> = {
  addressInUse: "address in use",
  closed: "closed",
  handshake: "TLS handshake failed",
  injected: "clear bytes behind AUTH",
  refused: "refused",
  reset: "connection reset",
};

/** Texts of the runtime's are left out; what is our own decision is said. */
function describeEnd(error: ConnectionError): string {
  const end = CONNECTION_ENDS[error.kind];
  return error instanceof CertificateRefusedError ? `${end}: ${error.message}` : end;
}

/** Ends a session once, whoever asks for it and however often. */
export class SessionEnd implements Disposable {
  readonly #state: SessionState;
  readonly #channel: ControlChannel;
  readonly #dataPort: DataPort;
  readonly #ended = new AbortController();
  #goodbye: Promise<void> | undefined;
  /** Runs once the server does not wait for the transfer any more. */
  #cutting: Watchdog | undefined;
  #reason: string | undefined;

  constructor(state: SessionState, channel: ControlChannel, dataPort: DataPort) {
    this.#state = state;
    this.#channel = channel;
    this.#dataPort = dataPort;
  }

  /** Aborts when everything is interrupted. */
  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  /** Why the session ends, for the log. */
  get reason(): string | undefined {
    return this.#reason;
  }

  /** Says why; the first reason counts. */
  setReason(reason: string): void {
    this.#reason ??= reason;
  }

  /** Ends the session with 421. */
  closeNow(text: string): void {
    this.setReason(text);
    const { implicitTls, tls } = this.#state.session;
    // Nothing can be said in a handshake, nor before one that comes first.
    if (this.#channel.isHandshaking || (implicitTls && tls === undefined)) this.abandon();
    else this.#goodbye ??= this.#sayGoodbye(reply(421, text));
  }

  /** Ends the session with 421 once nothing is under way: after the running transfer. */
  afterTransfer(text: string): void {
    const { running } = this.#state;
    if (running === undefined) return this.closeNow(text);
    this.setReason(text);
    this.#goodbye ??= running.done.then(() => this.#sayGoodbye(reply(421, text)));
  }

  /** Cuts the running transfer, if there is one, so that {@linkcode SessionEnd.afterTransfer} need not wait. */
  cutTransfer(reason: string): void {
    this.#state.running?.transfer.abort("stopped", reason);
    this.#cutting ??= new Watchdog(GOODBYE_TIMEOUT_MS, () => this.abandon(reason));
  }

  /** Closes the control connection in order, behind the last reply. Never rejects. */
  closeGracefully(): Promise<void> {
    return this.#goodbye ??= this.#sayGoodbye();
  }

  /** The dialogue cannot go on. */
  fail(error: unknown): void {
    if (error instanceof ConnectionError) {
      this.setReason(describeEnd(error));
    } else if (!this.signal.aborted) {
      this.setReason("internal error");
      this.#state.reportError(error);
    }
    this.abandon();
  }

  /**
   * Interrupts everything that is under way.
   *
   * @param reason Why the running transfer does not come to its end.
   */
  abandon(reason: string = this.#reason ?? "the session was ended"): void {
    this.#ended.abort(SESSION_ENDED);
    this.#state.running?.transfer.abort("aborted", reason);
    this.#dataPort.close();
    this.#channel.close();
  }

  /** Forgets what it would still have cut. */
  [Symbol.dispose](): void {
    this.#cutting?.[Symbol.dispose]();
  }

  async #sayGoodbye(last?: Reply): Promise<void> {
    using _deadline = new Watchdog(GOODBYE_TIMEOUT_MS, () => this.#channel.close());
    try {
      await this.#channel.finish(last);
    } catch {
      // The client is gone: nobody is left to hear it.
    }
    this.abandon();
  }
}
