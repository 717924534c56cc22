/**
 * The state as a worker sees it: it asks the main event loop, which owns it.
 *
 * @module
 */

import type { AccountLimits } from "../accounts/authorizer.ts";
import { AuthorizerBusyError } from "../accounts/authorizer_busy_error.ts";
import type { WorkOptions, WorkPlaces } from "../accounts/work_places.ts";
import type { AccountSlot, ConnectionSlot, LoginAttempt, SharedState } from "../state/state.ts";
import { abortable } from "../deadline.ts";
import type { FileClaims } from "../filesystem/file_claims.ts";
import { FileSystemError } from "../filesystem/filesystem_error.ts";
import type { Answers, FromWorker, Question } from "./worker_messages.ts";

/** Asks through messages; the answers have to be handed to {@linkcode RemoteState.answer}. */
export class RemoteState implements SharedState, FileClaims, WorkPlaces {
  readonly #send: (message: FromWorker) => void;
  readonly #waiting = new Map<number, (value: unknown) => void>();
  #lastId = 0;
  #lastHold = 0;

  constructor(send: (message: FromWorker) => void) {
    this.#send = send;
  }

  /** Takes the answer to a question. */
  answer(id: number, value: unknown): void {
    this.#waiting.get(id)?.(value);
    this.#waiting.delete(id);
  }

  async acquireConnection(host: string): Promise<ConnectionSlot | string> {
    const hold = ++this.#lastHold;
    const refusal = await this.#ask({ ask: "acquireConnection", host, hold });
    if (refusal !== undefined) return refusal;
    let isLoggedIn = false;
    return {
      ...this.#held(hold),
      loggedIn: () => {
        if (!isLoggedIn) this.#send({ kind: "loggedIn", hold });
        isLoggedIn = true;
      },
    };
  }

  async beginAttempt(host: string, signal: AbortSignal): Promise<LoginAttempt | undefined> {
    const hold = ++this.#lastHold;
    const asked = this.#ask({ ask: "beginAttempt", host, hold });
    if (!await this.#unlessAborted(hold, asked, signal)) return undefined;
    let hasEnded = false;
    const end = (kind: "giveBack" | "release") => {
      if (!hasEnded) this.#send({ kind, hold });
      hasEnded = true;
    };
    return {
      giveBack: () => end("giveBack"),
      fail: () => {
        hasEnded = true;
        return this.#ask({ ask: "failAttempt", hold });
      },
      [Symbol.dispose]: () => end("release"),
    };
  }

  async acquireAccount(username: string, limits: AccountLimits): Promise<AccountSlot | undefined> {
    const hold = ++this.#lastHold;
    const rates = await this.#ask({ ask: "acquireAccount", username, limits, hold });
    return rates && { ...rates, ...this.#held(hold) };
  }

  async claim(file: string): Promise<Disposable> {
    const hold = ++this.#lastHold;
    if (await this.#ask({ ask: "claimFile", file, hold })) return this.#held(hold);
    throw new FileSystemError("busy", "Cannot open file for writing: it is being written");
  }

  async take({ owner, signal }: WorkOptions): Promise<Disposable> {
    signal.throwIfAborted();
    const hold = ++this.#lastHold;
    const asked = this.#ask({ ask: "takeWorkPlace", owner, hold });
    const refusal = await this.#unlessAborted(hold, asked, signal);
    if (refusal !== undefined) throw new AuthorizerBusyError(refusal, { countsAsFailure: true });
    return this.#held(hold);
  }

  #ask<Name extends Question["ask"]>(question: Question & { readonly ask: Name }): Promise<Answers[Name]> {
    const id = ++this.#lastId;
    const { promise, resolve } = Promise.withResolvers<Answers[Name]>();
    this.#waiting.set(id, resolve as (value: unknown) => void);
    this.#send({ kind: "question", id, question });
    return promise;
  }

  /** Gives up the wait for an answer, and what may have been granted meanwhile, when the signal aborts. */
  async #unlessAborted<Answer>(hold: number, answer: Promise<Answer>, signal: AbortSignal): Promise<Answer> {
    try {
      return await abortable(answer, signal);
    } catch (error) {
      this.#send({ kind: "giveBack", hold });
      throw error;
    }
  }

  #held(hold: number): Disposable {
    let isReleased = false;
    return {
      [Symbol.dispose]: () => {
        if (!isReleased) this.#send({ kind: "release", hold });
        isReleased = true;
      },
    };
  }
}
