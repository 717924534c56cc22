/**
 * Connections to one directory, each used by one at a time.
 *
 * @module
 */

import type { LdapConnection } from "./ldap_connection.ts";

/** How long a connection is kept without use, in milliseconds: shorter than directories keep them. */
const KEEP_IDLE_MS = 30_000;

/** What a pool makes connections with. */
export interface LdapPoolOptions {
  /** Opens one, ready to be used. */
  readonly open: (signal: AbortSignal) => Promise<LdapConnection>;
  /** Most that are kept without use. */
  readonly maxIdle: number;
}

interface Idle {
  readonly connection: LdapConnection;
  readonly since: number;
}

/** Lends connections, until it is disposed of. */
export class LdapPool implements Disposable {
  readonly #options: LdapPoolOptions;
  #idle: readonly Idle[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;

  constructor(options: LdapPoolOptions) {
    this.#options = options;
  }

  /**
   * Works with a connection. One that was kept may have ended meanwhile: then the work is done once more, with a new one, so it has
   * to bear that.
   */
  async use<Result>(work: (connection: LdapConnection) => Promise<Result>, signal: AbortSignal): Promise<Result> {
    const kept = this.#take();
    if (kept !== undefined) {
      try {
        return await this.#lend(kept, work);
      } catch (error) {
        if (kept.isOpen || signal.aborted) throw error;
      }
    }
    return await this.#lend(await this.#options.open(signal), work);
  }

  async #lend<Result>(
    connection: LdapConnection,
    work: (connection: LdapConnection) => Promise<Result>,
  ): Promise<Result> {
    try {
      return await work(connection);
    } finally {
      this.#keep(connection);
    }
  }

  #take(): LdapConnection | undefined {
    const usable = this.#idle.filter(({ connection }) => connection.isOpen);
    this.#idle = usable.slice(0, -1);
    return usable.at(-1)?.connection;
  }

  #keep(connection: LdapConnection): void {
    if (!connection.isOpen) return;
    if (this.#isClosed || this.#idle.length >= this.#options.maxIdle) return connection[Symbol.dispose]();
    this.#idle = [...this.#idle, { connection, since: performance.now() }];
    this.#timer ??= setTimeout(() => this.#closeOld(), KEEP_IDLE_MS);
  }

  #closeOld(): void {
    this.#timer = undefined;
    const oldest = performance.now() - KEEP_IDLE_MS;
    for (const { connection, since } of this.#idle) if (since <= oldest) connection[Symbol.dispose]();
    this.#idle = this.#idle.filter(({ connection }) => connection.isOpen);
    if (this.#idle.length > 0) this.#timer = setTimeout(() => this.#closeOld(), KEEP_IDLE_MS);
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    for (const { connection } of this.#idle) connection[Symbol.dispose]();
    this.#idle = [];
  }
}
