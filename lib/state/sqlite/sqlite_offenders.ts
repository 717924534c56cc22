/**
 * Failed logins and bans in a file.
 *
 * @module
 */

import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { KeptOffender, OffenderStore } from "../offenders.ts";

/** Keeps failed logins and bans in a database, so that they outlive the process. */
export class SqliteOffenders implements OffenderStore {
  readonly #load: StatementSync;
  readonly #save: StatementSync;
  readonly #forget: StatementSync;

  /** @param db With the tables of `SqliteDatabase`, which stays the caller's. */
  constructor(db: DatabaseSync) {
    this.#load = db.prepare("SELECT address, failures, banned_until FROM offenders ORDER BY changed");
    this.#save = db.prepare(
      "INSERT OR REPLACE INTO offenders (address, failures, banned_until, changed) VALUES (?, ?, ?, ?)",
    );
    this.#forget = db.prepare("DELETE FROM offenders WHERE address = ?");
  }

  load(): KeptOffender[] {
    return this.#load.all().map(({ address, failures, banned_until: bannedUntil }) => ({
      address: String(address),
      failures: timesOf(String(failures)),
      bannedUntil: Number(bannedUntil),
    }));
  }

  save({ address, failures, bannedUntil }: KeptOffender): void {
    this.#save.run(address, failures.map(Math.round).join(" "), Math.round(bannedUntil), Date.now());
  }

  forget(address: string): void {
    this.#forget.run(address);
  }
}

function timesOf(text: string): number[] {
  return text.split(" ").map(Number).filter((time) => time > 0);
}
