/**
 * The one sending call of a connection that may be under way.
 *
 * @module
 */

import type { ConnectionError } from "./connection.ts";
import { toConnectionError } from "./connection_failure.ts";

/** Reports the end of a call: with an error when it failed. */
export type Done = (error?: Error | null) => void;

/** Turns callbacks into promises, one at a time, and rejects the pending one when the connection fails. */
export class PendingCall {
  #call: PromiseWithResolvers<void> | undefined;
  #failure: ConnectionError | undefined;

  /**
   * Starts a call.
   *
   * @throws {TypeError} When one is pending.
   * @throws {ConnectionError} When the connection has failed, or fails before the call is done.
   */
  run(start: (done: Done) => void): Promise<void> {
    if (this.#call !== undefined) return Promise.reject(new TypeError("Cannot send: a write is pending"));
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const call = Promise.withResolvers<void>();
    this.#call = call;
    start((error) => {
      if (this.#call !== call) return;
      this.#call = undefined;
      if (error) call.reject(toConnectionError(error));
      else call.resolve();
    });
    return call.promise;
  }

  /** Rejects the pending call and all later ones. The first failure stays. */
  fail(error: ConnectionError): void {
    this.#failure ??= error;
    this.#call?.reject(this.#failure);
    this.#call = undefined;
  }
}
