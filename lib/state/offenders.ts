/**
 * Where failed logins and bans are kept beyond the process.
 *
 * @module
 */

/** An address with failed logins. Times are in milliseconds since 1970. */
export interface KeptOffender {
  /** An address, of IPv6 its /64. */
  readonly address: string;
  /** Times of the failures that count. */
  readonly failures: readonly number[];
  /** End of the ban; in the past where there is none. */
  readonly bannedUntil: number;
}

/** Keeps addresses with failed logins. What a method throws is reported, and changes nothing for who runs. */
export interface OffenderStore {
  /** Returns those of earlier runs, those that failed last at the end. */
  load(): readonly KeptOffender[];
  /** Keeps what there is of an address, in place of what was. */
  save(offender: KeptOffender): void;
  /** Forgets an address. */
  forget(address: string): void;
}
