/**
 * The records port: small facts about files that are kept beyond a session, and where the engine is one on a disk or a server,
 * beyond the process: digests of objects, interrupted uploads, changes that a crash must not leave half done.
 *
 * @module
 */

import type { MaybePromise, SharedMethods } from "../shared_port.ts";

/** A record. */
export interface StateRecord {
  /** Unique in its space. */
  readonly key: string;
  /** Whatever whoever keeps it has written. */
  readonly value: string;
}

/** How a record is kept. */
export interface RecordOptions {
  /** When it may be forgotten, in milliseconds since 1970. @default {Infinity} */
  readonly expiresAt?: number;
}

/** Which records are listed. */
export interface ListRecordsOptions {
  /** Beginning of their keys. @default {""} */
  readonly prefix?: string;
  /** Only keys behind this one, in the order of UTF-16 code units. @default {""} */
  readonly after?: string;
  /** Most records of one answer. @default {1000} */
  readonly limit?: number;
}

/**
 * Records by key, in spaces that know nothing of each other. What one event loop or machine sets, the others see.
 * What a method throws says that the engine is out of reach.
 */
export interface StateRecords {
  /** Returns a value, or `undefined` when there is none. */
  get(space: string, key: string): MaybePromise<string | undefined>;
  /** Sets a value. Once it resolves, it outlives the process where the engine does. */
  set(space: string, key: string, value: string, options?: RecordOptions): MaybePromise<void>;
  /**
   * Sets a value where there is none, and returns whether it has: of several callers at once, one. As lasting as `set()`.
   */
  add(space: string, key: string, value: string, options?: RecordOptions): MaybePromise<boolean>;
  /** Removes a value, if there is one. */
  delete(space: string, key: string): MaybePromise<void>;
  /** Returns records in the order of their keys; less than `limit` at the end. */
  list(space: string, options?: ListRecordsOptions): MaybePromise<readonly StateRecord[]>;
}

/** What event loops share of it. */
export const SHARED_RECORDS: SharedMethods<StateRecords> = {
  get: {},
  set: {},
  add: {},
  delete: {},
  list: {},
};
