/**
 * Hears of changed accounts from a database that is not that of the state.
 *
 * @module
 */

import { delay } from "../../deadline.ts";
import { DatabaseConnection } from "./database_connection.ts";
import type { DatabaseAddress } from "./database_address.ts";

/** How it listens. */
export interface AccountFeedOptions {
  /** Authorities that are trusted beside those of the system, PEM. */
  readonly authorities: readonly string[];
  /** Told the name of an account that was changed. Must not throw. */
  readonly onAccount: (name: string) => void;
  /** Told that it hears again, and may have missed something. Must not throw. */
  readonly onReconnected: () => void;
}

const CHECK_INTERVAL_MS = 2_000;
const TIMEOUT_MS = 2_000;
const MIN_RETRY_MS = 100;
const MAX_RETRY_MS = 2_000;

/** Listens from its making until it is disposed of, on one connection, which it opens anew when it has ended. */
export class AccountFeed implements AsyncDisposable {
  readonly #address: DatabaseAddress;
  readonly #options: AccountFeedOptions;
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;

  constructor(address: DatabaseAddress, options: AccountFeedOptions) {
    this.#address = address;
    this.#options = options;
    this.#running = this.#run();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  /** Never rejects: whether the database can be asked is found out, and told, by those who ask. */
  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    let mayHaveMissed = false;
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        using connection = await this.#listen();
        failures = 0;
        if (mayHaveMissed) this.#options.onReconnected();
        mayHaveMissed = true; // from its end on
        await this.#watch(connection);
      } catch {
        mayHaveMissed = true;
        const pause = Math.min(MAX_RETRY_MS, MIN_RETRY_MS * 2 ** failures);
        await delay(pause * (0.5 + Math.random() / 2), signal).catch(() => {}); // the loop ends
      }
    }
  }

  async #listen(): Promise<DatabaseConnection> {
    const signal = AbortSignal.any([AbortSignal.timeout(TIMEOUT_MS), this.#stopping.signal]);
    const connection = await DatabaseConnection.open(this.#address, {
      authorities: this.#options.authorities,
      onNotification: (_channel, payload) => this.#hear(payload),
      signal,
    });
    try {
      await connection.query("LISTEN ftpsd", [], TIMEOUT_MS);
      return connection;
    } catch (error) {
      connection[Symbol.dispose]();
      throw error;
    }
  }

  /** Looks now and then whether the connection still leads to somebody; a host that is gone says nothing. */
  async #watch(connection: DatabaseConnection): Promise<void> {
    const ended = AbortSignal.any([connection.ended, this.#stopping.signal]);
    while (!ended.aborted) {
      await delay(CHECK_INTERVAL_MS, ended).catch(() => {}); // looked at next
      if (!ended.aborted) await connection.query("SELECT 1", [], TIMEOUT_MS);
    }
  }

  /** Whoever may write to the database may send anything. */
  #hear(payload: string): void {
    try {
      const { kind, subject } = JSON.parse(payload);
      if (kind === "account" && typeof subject === "string") this.#options.onAccount(subject);
    } catch {
      // nothing that concerns accounts
    }
  }
}
