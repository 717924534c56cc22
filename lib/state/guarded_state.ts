/**
 * The state as a server uses it: an engine beyond this process may fail, hang, or lose what it has given.
 *
 * @module
 */

import type { AccountLimits } from "../accounts/authorizer.ts";
import { abortable } from "../deadline.ts";
import type { Lease, MaybePromise } from "../shared_port.ts";
import {
  type AccountSlot,
  type ConnectionSlot,
  type FailureCount,
  type LoginAttempt,
  type SharedState,
  StateUnavailableError,
} from "./state.ts";

/**
 * What the server does where the state fails. What is new is refused, with 421; what runs goes on. A call that hangs ends with
 * its signal: that of the session, or of the time for the login before there is one.
 */
export const ON_FAILURE = {
  acquireConnection: "refuse",
  beginAttempt: "refuse",
  acquireAccount: "refuse",
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
} as const;

type Refused = { [Call in keyof typeof ON_FAILURE]: (typeof ON_FAILURE)[Call] extends "refuse" ? Call : never };
type RefusedCall = Refused[keyof typeof ON_FAILURE];
type OtherCall = Exclude<keyof typeof ON_FAILURE, RefusedCall>;

/** Told of a failure. Must not throw. */
export type ReportFailure = (call: keyof typeof ON_FAILURE, cause: unknown) => void;

/** Makes each failure of an engine what {@linkcode ON_FAILURE} says. */
export class GuardedState implements SharedState {
  readonly #engine: SharedState;
  readonly #report: ReportFailure;

  constructor(engine: SharedState, report: ReportFailure) {
    this.#engine = engine;
    this.#report = report;
  }

  async acquireConnection(host: string, signal: AbortSignal): Promise<ConnectionSlot | string> {
    const slot = await this.#acquire("acquireConnection", () => this.#engine.acquireConnection(host, signal), signal);
    if (typeof slot === "string") return slot;
    return { loggedIn: () => this.#goOn("loggedIn", () => slot.loggedIn()), ...this.#held(slot) };
  }

  async beginAttempt(host: string, signal: AbortSignal): Promise<LoginAttempt | undefined> {
    const attempt = await this.#acquire("beginAttempt", () => this.#engine.beginAttempt(host, signal), signal);
    return attempt && {
      giveBack: () => this.#goOn("giveBack", () => attempt.giveBack()),
      // Without the signal: the failure of a client who has left counts too, and a ban that it brings is told.
      fail: () => this.#refuse<FailureCount>("fail", () => attempt.fail()),
      ...this.#held(attempt),
    };
  }

  async acquireAccount(
    username: string,
    limits: AccountLimits,
    signal: AbortSignal,
  ): Promise<AccountSlot | undefined> {
    const acquire = () => this.#engine.acquireAccount(username, limits, signal);
    const slot = await this.#acquire("acquireAccount", acquire, signal);
    return slot && { send: slot.send, receive: slot.receive, ...this.#held(slot) };
  }

  /** What comes after the signal has aborted is given back: nobody waits for it. */
  #acquire<Answer extends Partial<LoginAttempt> | string | undefined>(
    call: RefusedCall,
    ask: () => MaybePromise<Answer>,
    signal: AbortSignal,
  ): Promise<Answer> {
    let isLate = false;
    const answer = Promise.try(ask).then((answer) => {
      if (!isLate || typeof answer !== "object") return answer;
      // An attempt first, since its release alone is its failure.
      if (answer.giveBack !== undefined) this.#goOn("giveBack", () => answer.giveBack?.());
      this.#goOn("release", () => answer[Symbol.dispose]?.());
      return answer;
    });
    return this.#refuse(call, () => answer, signal).catch((error) => {
      isLate = true;
      throw error;
    });
  }

  /** @throws {StateUnavailableError} When the engine fails. @throws The reason of `signal` when it aborts before. */
  async #refuse<Answer>(call: RefusedCall, ask: () => MaybePromise<Answer>, signal?: AbortSignal): Promise<Answer> {
    try {
      const answer = Promise.try(ask);
      return await (signal === undefined ? answer : abortable(answer, signal));
    } catch (cause) {
      signal?.throwIfAborted();
      this.#report(call, cause);
      throw new StateUnavailableError(cause);
    }
  }

  #goOn(call: OtherCall, tell: () => unknown): void {
    Promise.try(tell).catch((cause) => this.#report(call, cause));
  }

  #held(lease: Lease): Lease {
    const report = () => this.#report("lost", lease.lost?.reason);
    if (lease.lost?.aborted) report();
    lease.lost?.addEventListener("abort", report, { once: true });
    return {
      ...lease.lost && { lost: lease.lost },
      [Symbol.dispose]: () => {
        lease.lost?.removeEventListener("abort", report);
        this.#goOn("release", () => lease[Symbol.dispose]());
      },
    };
  }
}
