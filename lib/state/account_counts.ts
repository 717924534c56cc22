/**
 * What is counted in shared memory of accounts: their sessions, and the rates that these keep together.
 *
 * @module
 */

import type { AccountLimits } from "../accounts/authorizer.ts";
import { type SharedTable, tableFull } from "./shared_table.ts";
import type { AccountSlot, SharedRate } from "./state.ts";
import type { TableKey } from "./table_records.ts";

/** The field of an account: its sessions; of a rate: the sessions that keep it. */
const SESSIONS = 0;
/** An account and its two rates. */
const MAX_RECORDS = 3;

/** A rate before it has its place in the table. */
interface PlannedRate {
  readonly key: TableKey;
  readonly bytesPerSecond: number;
}

/** Counts over all event loops that have the table. */
export class AccountCounts {
  readonly #table: SharedTable;

  constructor(table: SharedTable) {
    this.#table = table;
  }

  /**
   * Counts a session. Where the limits were changed meanwhile, what is under way keeps its rate, and newcomers share the new
   * one.
   *
   * @returns `undefined` when the account has as many as it may.
   * @throws {SharedTableError}
   */
  acquire(username: string, { connections = 0, bandwidth }: AccountLimits): AccountSlot | undefined {
    const account = this.#table.keyOf("account", username);
    const [send, receive] = [
      this.#plan(username, "send", bandwidth?.download),
      this.#plan(username, "receive", bandwidth?.upload),
    ];
    const answer = this.#table.locked((records) => {
      const known = records.find(account);
      if (connections > 0 && known !== 0 && records.get(known, SESSIONS) >= connections) return undefined;
      if (records.room < MAX_RECORDS) return tableFull();
      const join = (key: TableKey): BigInt64Array => {
        const record = records.findOrInsert(key);
        records.add(record, SESSIONS, 1);
        return records.clock(record);
      };
      join(account);
      return { send: send && join(send.key), receive: receive && join(receive.key) };
    });
    if (answer instanceof Error) throw answer;
    if (answer === undefined) return undefined;
    const keys = [account, send?.key, receive?.key].filter((key) => key !== undefined);
    return { send: rateOf(send, answer.send), receive: rateOf(receive, answer.receive), ...this.#lease(keys) };
  }

  /** Gives each record back, once. */
  #lease(keys: readonly TableKey[]): Disposable {
    let isHeld = true;
    return {
      [Symbol.dispose]: () => {
        if (!isHeld) return;
        isHeld = false;
        this.#table.release((records) => {
          for (const record of keys.map((key) => records.find(key))) {
            records.add(record, SESSIONS, -1);
            records.removeIfZero(record);
          }
        });
      },
    };
  }

  #plan(username: string, direction: "send" | "receive", bytesPerSecond = 0): PlannedRate | undefined {
    if (bytesPerSecond === 0) return undefined;
    return { key: this.#table.keyOf(`rate ${direction} ${bytesPerSecond}`, username), bytesPerSecond };
  }
}

function rateOf(plan: PlannedRate | undefined, freeAtUs: BigInt64Array | undefined): SharedRate | undefined {
  return plan && freeAtUs && { bytesPerSecond: plan.bytesPerSecond, freeAtUs };
}
