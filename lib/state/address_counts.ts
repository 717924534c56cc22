/**
 * What is counted in shared memory of addresses: connections, and passwords that are being checked.
 *
 * An event loop says yes by itself, when that is sure. For everything else, a ban or a wait, it needs the owner of the failures.
 *
 * @module
 */

import { addressBlock } from "../protocol/host_port.ts";
import type { Settings } from "../settings/settings.ts";
import { type SharedTable, tableFull } from "./shared_table.ts";
import type { ConnectionSlot } from "./state.ts";
import type { TableKey, TableRecords } from "./table_records.ts";

/** Limits of connections; 0: none. */
export type ConnectionLimits = Pick<
  Settings["limits"],
  "connections" | "connectionsPerAddress" | "connectionsBeforeLogin"
>;

/** What the owner says of an address. */
export interface AddressPolicy {
  readonly isBanned: boolean;
  /** Most passwords that may be checked at once; absent: as of an address without failures. */
  readonly maxAttempts?: number | undefined;
}

/** Fields of an address. */
const CONNECTIONS = 0;
const ATTEMPTS = 1;
const MAX_ATTEMPTS = 2;
const IS_BANNED = 3;
const IS_AWAITED = 4;

/** Fields of the one record of the server: counts of all addresses, and the limits, so that they change everywhere at once. */
const ALL_CONNECTIONS = 0;
const BEFORE_LOGIN = 1;
const CONNECTION_LIMIT = 2;
const ADDRESS_LIMIT = 3;
const BEFORE_LOGIN_LIMIT = 4;
const DEFAULT_ATTEMPTS = 5;

/** Why there is no place: all of the server are taken. */
export const SERVER_FULL = "Too many connections. Service temporarily unavailable.";
/** Why there is no place: the address has as many as it may. */
export const ADDRESS_FULL = "Too many connections from the same IP address.";
/** Why there is no place: too many wait for their login. */
export const PRELOGIN_FULL = "Too many connections that have not logged in, try again later.";

/** Stands for no limit. */
const MAX_COUNT = 2 ** 31 - 1;

/** Counts over all event loops that have the table. Addresses are given as keys: {@linkcode AddressCounts.keyOf}. */
export class AddressCounts {
  readonly #table: SharedTable;
  readonly #server: number;

  /** @throws {SharedTableError} When the table is full. */
  constructor(table: SharedTable) {
    this.#table = table;
    const key = table.keyOf("server", "");
    this.#server = table.locked((records) => records.findOrInsert(key));
    if (this.#server === 0) throw tableFull();
  }

  /** The key of an address, of IPv6 of its /64. */
  keyOf(host: string): TableKey {
    return this.#table.keyOf("address", addressBlock(host));
  }

  /**
   * Lets other limits hold for what comes next.
   *
   * @param maxAttempts Passwords of an address without failures that may be checked at once; of others see `policies`.
   * @param policies Those of addresses with failures, which hold from the same moment on.
   */
  configure(
    limits: ConnectionLimits,
    maxAttempts: number,
    policies: readonly (readonly [TableKey, AddressPolicy])[] = [],
  ): void {
    this.#table.release((records) => {
      records.set(this.#server, CONNECTION_LIMIT, asCount(limits.connections));
      records.set(this.#server, ADDRESS_LIMIT, asCount(limits.connectionsPerAddress));
      records.set(this.#server, BEFORE_LOGIN_LIMIT, asCount(limits.connectionsBeforeLogin));
      records.set(this.#server, DEFAULT_ATTEMPTS, asCount(maxAttempts));
      for (const [key, policy] of policies) setPolicy(records, key, policy);
    });
  }

  /** Lets what the owner says of an address hold from now on. */
  setPolicy(key: TableKey, policy: AddressPolicy): void {
    this.#table.release((records) => setPolicy(records, key, policy));
  }

  /**
   * Counts a connection, as one before its login.
   *
   * @returns A text tells which limit refuses it; `undefined`: the address was banned, and only the owner knows whether it
   * still is.
   * @throws {SharedTableError}
   */
  acquireConnection(key: TableKey): ConnectionSlot | string | undefined {
    const answer = this.#table.locked((records) => {
      const known = records.find(key);
      if (known !== 0 && records.get(known, IS_BANNED) !== 0) return undefined;
      const refusal = this.#refusal(records, known);
      if (refusal !== undefined) return refusal;
      const record = records.findOrInsert(key);
      if (record === 0) return tableFull();
      records.add(record, CONNECTIONS, 1);
      records.add(this.#server, ALL_CONNECTIONS, 1);
      records.add(this.#server, BEFORE_LOGIN, 1);
      return true;
    });
    if (answer instanceof Error) throw answer;
    return answer === true ? this.#connectionSlot(key) : answer;
  }

  /**
   * Begins to check a password, when as few are being checked as may be.
   *
   * @param options.maxAttempts Most at once; absent: what the table has of the address, which is never too many.
   * @param options.waits Whether the owner is to be told of the next one that ends, where this one cannot begin.
   * @returns Whether it has begun; it is to be ended by one of the two calls below.
   * @throws {SharedTableError}
   */
  beginAttempt(key: TableKey, options: { readonly maxAttempts?: number; readonly waits?: boolean } = {}): boolean {
    const answer = this.#table.locked((records) => {
      const known = records.find(key);
      if (known === 0) return this.#beginFirst(records, key);
      const most = options.maxAttempts ?? this.#maxAttempts(records, known);
      if (records.get(known, ATTEMPTS) < most) return records.add(known, ATTEMPTS, 1) > 0;
      if (options.waits) records.set(known, IS_AWAITED, 1);
      return false;
    });
    if (answer instanceof Error) throw answer;
    return answer;
  }

  /**
   * Ends the check of a password that counts as nothing.
   *
   * @param onAwaited Called when the owner has to be told of it. Must not throw.
   */
  endAttempt(key: TableKey, onAwaited: () => void): void {
    this.#table.release((records) => endAttempt(records, key) ? onAwaited : undefined);
  }

  /** For the owner: ends the check of a password that has failed, with what that has made of the address. */
  failAttempt(key: TableKey, policy: AddressPolicy | undefined): void {
    this.#table.release((records) => {
      if (policy !== undefined) setPolicy(records, key, policy); // before somebody else takes the place
      endAttempt(records, key);
    });
  }

  /** At least one may be checked of each address. */
  #beginFirst(records: TableRecords, key: TableKey): boolean | Error {
    const record = records.findOrInsert(key);
    return record === 0 ? tableFull() : records.add(record, ATTEMPTS, 1) > 0;
  }

  #maxAttempts(records: TableRecords, record: number): number {
    if (records.get(record, IS_BANNED) !== 0) return 0;
    return records.get(record, MAX_ATTEMPTS) || records.get(this.#server, DEFAULT_ATTEMPTS);
  }

  /** Returns why one more connection would be too many; `undefined` when it is not. */
  #refusal(records: TableRecords, address: number): string | undefined {
    const isOver = (limit: number, count: number) => {
      const most = records.get(this.#server, limit);
      return most > 0 && count >= most;
    };
    if (isOver(CONNECTION_LIMIT, records.get(this.#server, ALL_CONNECTIONS))) {
      return SERVER_FULL;
    }
    if (isOver(ADDRESS_LIMIT, address === 0 ? 0 : records.get(address, CONNECTIONS))) {
      return ADDRESS_FULL;
    }
    if (isOver(BEFORE_LOGIN_LIMIT, records.get(this.#server, BEFORE_LOGIN))) {
      return PRELOGIN_FULL;
    }
    return undefined;
  }

  #connectionSlot(key: TableKey): ConnectionSlot {
    let isBeforeLogin = true;
    let isHeld = true;
    const loggedIn = () => {
      if (isBeforeLogin) this.#table.release((records) => void records.add(this.#server, BEFORE_LOGIN, -1));
      isBeforeLogin = false;
    };
    return {
      loggedIn,
      [Symbol.dispose]: () => {
        if (!isHeld) return;
        isHeld = false;
        loggedIn();
        this.#table.release((records) => {
          const record = records.find(key);
          records.add(this.#server, ALL_CONNECTIONS, -1);
          records.add(record, CONNECTIONS, -1);
          records.removeIfZero(record);
        });
      },
    };
  }
}

function setPolicy(records: TableRecords, key: TableKey, { isBanned, maxAttempts = 0 }: AddressPolicy): void {
  // Who fails has a record, since the attempt is in it. Only a reload may find the table full: then the owner counts, and is asked.
  const record = isBanned || maxAttempts > 0 ? records.findOrInsert(key) : records.find(key);
  if (record === 0) return;
  records.set(record, IS_BANNED, isBanned ? 1 : 0);
  records.set(record, MAX_ATTEMPTS, asCount(maxAttempts));
  records.removeIfZero(record);
}

/** Returns whether somebody waits for it. */
function endAttempt(records: TableRecords, key: TableKey): boolean {
  const record = records.find(key);
  const isAwaited = records.get(record, IS_AWAITED) !== 0;
  records.add(record, ATTEMPTS, -1);
  records.set(record, IS_AWAITED, 0);
  records.removeIfZero(record);
  return isAwaited;
}

function asCount(value: number): number {
  return Math.min(value, MAX_COUNT);
}
