/**
 * The command that the dialogue waits for, which an authorizer, a file system or a program may never answer.
 *
 * @module
 */

/** Waits for one command after the other, each no longer than until it is given up. */
export class PendingCommand {
  #aborting = new AbortController();
  #work: Promise<unknown> = Promise.resolve();
  #isSettled = true;
  #interrupt: (reason: unknown) => void = () => {};

  /** Aborts when the command is given up. Another one for the next command then. */
  get signal(): AbortSignal {
    return this.#aborting.signal;
  }

  /** Whether the last command that was waited for has settled. */
  get isSettled(): boolean {
    return this.#isSettled;
  }

  /** Resolves when the last command has let go of what it holds, whether or not anybody has waited for it. */
  async ended(): Promise<void> {
    await this.#work.catch(() => {}); // its failure was answered, or nobody is left to answer
  }

  /**
   * Waits for what a command does.
   *
   * @throws The reason for which it is given up, as soon as it is.
   */
  wait<Result>(work: Promise<Result>): Promise<Result> {
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    const settle = <Value>(report: (value: Value) => void) => (value: Value) => {
      if (this.#work === work) this.#isSettled = true;
      report(value);
    };
    work.then(settle(resolve), settle(reject));
    this.#work = work;
    this.#isSettled = false;
    this.#interrupt = reject;
    if (this.signal.aborted) reject(this.signal.reason);
    return promise;
  }

  /** Returns whether this work is the last that was waited for, and has not settled. */
  isPending(work: Promise<unknown>): boolean {
    return this.#work === work && !this.#isSettled;
  }

  /** Stops waiting for the command. */
  abort(reason: unknown): void {
    const aborting = this.#aborting;
    this.#aborting = new AbortController();
    aborting.abort(reason);
    this.#interrupt(reason);
  }

  /** Stops waiting for this command and for any other one. */
  abortAll(reason: unknown): void {
    this.#aborting.abort(reason);
    this.#interrupt(reason);
  }
}
