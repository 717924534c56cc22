/**
 * Bans that this node has heard of.
 *
 * @module
 */

import type { DatabaseConnection } from "./database_connection.ts";
import type { NodeEvent } from "./event_feed.ts";

/** Most addresses. Of more the database alone knows, so that they are refused at their password, and not before. */
const MAX_BANS = 100_000;

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
    this.#until.delete(block); // it goes to the end
    if (this.#until.size >= MAX_BANS) this.#makeRoom();
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
        WHERE until > clock_timestamp() ORDER BY until DESC LIMIT $1`,
      [MAX_BANS],
      timeoutMs,
    );
    this.#until.clear();
    for (const { block, seconds } of rows) this.add(block ?? "", Number(seconds));
  }

  /** Forgets those that are over, or the one that was heard of longest ago. */
  #makeRoom(): void {
    const now = performance.now();
    for (const [block, until] of this.#until) if (until <= now) this.#until.delete(block);
    const [oldest] = this.#until.keys();
    if (this.#until.size >= MAX_BANS && oldest !== undefined) this.#until.delete(oldest);
  }
}
