/**
 * The state as a server uses it: an engine beyond this process may fail, hang, or lose what it has given.
 *
 * @module
 */

import type { AccountLimits } from "../accounts/authorizer.ts";
import { abortable } from "../deadline.ts";
import type { FileClaims } from "../filesystem/file_claims.ts";
import { FileSystemError } from "../filesystem/filesystem_error.ts";
import { isLease, type Lease, type MaybePromise } from "../shared_port.ts";
import { describeThrown } from "../thrown.ts";
import {
  type AccountSlot,
  type ConnectionSlot,
  type FailureCount,
  type LoginAttempt,
  type SharedState,
  StateUnavailableError,
} from "./state.ts";

/**
 * What the server does where the state fails. What is new is refused, with 421, or 450 for a file; what runs goes on, but for
 * an upload that may not be the only one of its file any more. A call that hangs ends with its signal: that of the session, of
 * the transfer, or of the time for the login before there is a session.
 */
export const ON_FAILURE = {
  acquireConnection: "refuse",
  beginAttempt: "refuse",
  acquireAccount: "refuse",
  /** As when somebody else writes the file. */
  claim: "refuse",
  /** The attempt has counted since it began, so nobody guesses for free; but nobody knows whether there is a ban. */
  fail: "refuse",
  /** The connection keeps its share of those before the login. */
  loggedIn: "goOn",
  /** The password was right: the attempt counts against the address, and the login goes on. */
  giveBack: "goOn",
  /** The engine has to find out by itself who has gone. */
  release: "goOn",
  /** A session or a transfer goes on without its place. */
  lost: "goOn",
  /** Somebody else may write the file by now: the upload takes no more bytes, and its end is an error. */
  lostClaim: "cut",
} as const;

type Call = keyof typeof ON_FAILURE;
type CallsThat<Effect> = { [Name in Call]: (typeof ON_FAILURE)[Name] extends Effect ? Name : never }[Call];

/** Told of a failure. Must not throw. */
export type ReportFailure = (call: Call, cause: unknown) => void;

/** A failure, for the log. */
export function describeFailure(call: Call, cause: unknown): string {
  return `The state has failed (${call}): ${describeThrown(cause)}`;
}

/** Makes each failure of an engine what {@linkcode ON_FAILURE} says. */
export class GuardedState implements SharedState {
  readonly #engine: SharedState;
  readonly #guard: Guard;

  constructor(engine: SharedState, report: ReportFailure) {
    this.#engine = engine;
    this.#guard = new Guard(report);
  }

  async acquireConnection(host: string, signal: AbortSignal): Promise<ConnectionSlot | string> {
    const acquire = () => this.#engine.acquireConnection(host, signal);
    const slot = await this.#guard.acquire("acquireConnection", acquire, signal);
    if (typeof slot === "string") return slot;
    return { loggedIn: () => this.#guard.goOn("loggedIn", () => slot.loggedIn()), ...this.#guard.hold(slot, "lost") };
  }

  async beginAttempt(host: string, signal: AbortSignal): Promise<LoginAttempt | undefined> {
    const begin = () => this.#engine.beginAttempt(host, signal);
    const attempt = await this.#guard.acquire("beginAttempt", begin, signal);
    return attempt && {
      giveBack: () => this.#guard.goOn("giveBack", () => attempt.giveBack()),
      // Without the signal: the failure of a client who has left counts too, and a ban that it brings is told.
      fail: () => this.#guard.refuse<FailureCount>("fail", () => attempt.fail()),
      ...this.#guard.hold(attempt, "lost"),
    };
  }

  async acquireAccount(
    username: string,
    limits: AccountLimits,
    signal: AbortSignal,
  ): Promise<AccountSlot | undefined> {
    const acquire = () => this.#engine.acquireAccount(username, limits, signal);
    const slot = await this.#guard.acquire("acquireAccount", acquire, signal);
    return slot && { send: slot.send, receive: slot.receive, ...this.#guard.hold(slot, "lost") };
  }
}

/** The same for who writes what. */
export class GuardedFileClaims implements FileClaims {
  readonly #engine: FileClaims;
  readonly #guard: Guard;

  constructor(engine: FileClaims, report: ReportFailure) {
    this.#engine = engine;
    this.#guard = new Guard(report);
  }

  /** @throws {FileSystemError} Kind `"busy"`; its cause is a `StateUnavailableError` when the engine fails. */
  async claim(file: string, signal?: AbortSignal): Promise<Lease> {
    const claim = async () => {
      try {
        return await this.#engine.claim(file, signal);
      } catch (error) {
        if (error instanceof FileSystemError && error.kind === "busy") return error; // an answer
        throw error;
      }
    };
    const answer = await this.#guard.acquire("claim", claim, signal).catch((cause) => {
      if (!(cause instanceof StateUnavailableError)) throw cause;
      throw new FileSystemError("busy", "Cannot open file for writing: nobody knows who writes it", { cause });
    });
    if (answer instanceof FileSystemError) throw answer;
    return this.#guard.hold(answer, "lostClaim");
  }
}

class Guard {
  readonly #report: ReportFailure;

  constructor(report: ReportFailure) {
    this.#report = report;
  }

  /** What comes after the signal has aborted is given back: nobody waits for it. */
  acquire<Answer>(call: CallsThat<"refuse">, ask: () => MaybePromise<Answer>, signal?: AbortSignal): Promise<Answer> {
    let isLate = false;
    const answer = Promise.try(ask).then((answer) => {
      if (isLate && isLease(answer)) this.#giveBack(answer);
      return answer;
    });
    return this.refuse(call, () => answer, signal).catch((error) => {
      isLate = true;
      throw error;
    });
  }

  /** @throws {StateUnavailableError} When the engine fails. @throws The reason of `signal` when it aborts before. */
  async refuse<Answer>(
    call: CallsThat<"refuse">,
    ask: () => MaybePromise<Answer>,
    signal?: AbortSignal,
  ): Promise<Answer> {
    try {
      const answer = Promise.try(ask);
      return await (signal === undefined ? answer : abortable(answer, signal));
    } catch (cause) {
      signal?.throwIfAborted();
      this.#report(call, cause);
      throw new StateUnavailableError(cause);
    }
  }

  goOn(call: CallsThat<"goOn">, tell: () => unknown): void {
    Promise.try(tell).catch((cause) => this.#report(call, cause));
  }

  hold(lease: Lease, loss: "lost" | "lostClaim"): Lease {
    const report = () => this.#report(loss, lease.lost?.reason);
    if (lease.lost?.aborted) report();
    lease.lost?.addEventListener("abort", report, { once: true });
    return {
      ...lease.lost && { lost: lease.lost },
      [Symbol.dispose]: () => {
        lease.lost?.removeEventListener("abort", report);
        this.goOn("release", () => lease[Symbol.dispose]());
      },
    };
  }

  #giveBack(lease: Lease & Partial<LoginAttempt>): void {
    // An attempt first, since its release alone is its failure.
    if (lease.giveBack !== undefined) this.goOn("giveBack", () => lease.giveBack?.());
    this.goOn("release", () => lease[Symbol.dispose]());
  }
}
