/**
 * Bans that this node has heard of.
 *
 * @module
 */

import type { DatabaseConnection } from "./database_connection.ts";
import type { NodeEvent } from "./event_feed.ts";

/** Bans by address. What it does not know yet the database does, which is asked before each password is checked. */
export class BanList {
  readonly #until = new Map<string, number>();

  /** Returns whether an address is banned. */
  has(block: string): boolean {
    const until = this.#until.get(block);
    if (until === undefined || until > performance.now()) return until !== undefined;
    this.#until.delete(block);
    return false;
  }

  /** An address is banned from now on. */
  add(block: string, seconds: number): void {
    this.#until.set(block, performance.now() + seconds * 1000);
  }

  /** Takes what nodes tell each other. */
  take({ kind, subject, seconds }: NodeEvent): void {
    if (kind === "ban") this.add(subject, seconds);
    if (kind === "unban") this.#until.delete(subject);
  }

  /** Takes all bans there are, in the place of what it has. */
  async load(connection: DatabaseConnection, timeoutMs: number): Promise<void> {
    const rows = await connection.query(
      `SELECT block, extract(epoch FROM until - clock_timestamp()) AS seconds FROM ftpsd.ban
        WHERE until > clock_timestamp()`,
      [],
      timeoutMs,
    );
    this.#until.clear();
    for (const { block, seconds } of rows) this.add(block ?? "", Number(seconds));
  }
}
